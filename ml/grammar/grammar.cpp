// Compiles expressions to states, from the end of each to its beginning, then checks what came out.
#include "ml/grammar/grammar.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "ml/grammar/char_ranges.hpp"

namespace notso::ml {
namespace {

using Kind = GrammarState::Kind;

constexpr std::size_t kMaxStates = 100'000;
/// A rule that calls none and has fewer states than this is written into those that use it: a mask
/// looks no further than a rule's end before it asks who called.
constexpr std::int32_t kInlineStates = 64;
constexpr std::int32_t kNotInlined = kInlineStates + 1;

/// However much it is: what ends at all is less than kNeverEnds.
std::uint32_t limited_bytes(std::uint64_t n) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(n, kNeverEnds - 1));
}
std::uint32_t plus(std::uint32_t a, std::uint32_t b) {
    return std::max(a, b) >= kNeverEnds ? kNeverEnds : limited_bytes(std::uint64_t{a} + b);
}
std::uint32_t times(std::int32_t n, std::uint32_t each) {
    if (n == 0) return 0;
    return each >= kNeverEnds ? kNeverEnds : limited_bytes(static_cast<std::uint64_t>(n) * each);
}

std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

}  // namespace

class GrammarCompiler {
  public:
    explicit GrammarCompiler(const GrammarSource& source)
        : source_(source), inline_states_(source.rules.size(), -1) {
        out_.starts_.assign(source.rules.size(), -1);
        out_.root_ = source.root;
    }

    Result<std::shared_ptr<const Grammar>> compile() {
        wanted_.push_back(source_.root);
        called_.push_back(source_.root);
        out_.starts_[index(source_.root)] = -2;
        while (!wanted_.empty()) {
            const std::int32_t rule = wanted_.back();
            wanted_.pop_back();
            const StateId end = add({.kind = Kind::kEnd});
            out_.starts_[index(rule)] = emit(source_.rules[index(rule)].body, end);
            if (out_.states_.size() > kMaxStates) {
                return fail(ErrorCode::kInvalidArgument,
                            "the grammar is too large: it has more than {} states",
                            kMaxStates);
            }
        }
        measure();
        NOTSO_CHECK(check_left_recursion());
        NOTSO_CHECK(check_ends());
        return std::make_shared<const Grammar>(std::move(out_));
    }

  private:
    StateId add(GrammarState state) {
        out_.states_.push_back(state);
        return static_cast<StateId>(out_.states_.size()) - 1;
    }
    StateId add_split(std::span<const StateId> targets) {
        const auto first = static_cast<std::int32_t>(out_.targets_.size());
        out_.targets_.insert(out_.targets_.end(), targets.begin(), targets.end());
        return add(
            {.kind = Kind::kSplit, .first = first, .n = static_cast<std::int32_t>(targets.size())});
    }
    StateId add_bytes(std::span<const ByteEdge> edges) {
        const auto first = static_cast<std::int32_t>(out_.edges_.size());
        out_.edges_.insert(out_.edges_.end(), edges.begin(), edges.end());
        return add(
            {.kind = Kind::kBytes, .first = first, .n = static_cast<std::int32_t>(edges.size())});
    }

    /// The state from which an expression leads to `next`. A grammar that grows too large is given
    /// up: what comes out is not used.
    StateId emit(ExprId id, StateId next) {
        if (out_.states_.size() > kMaxStates) return next;
        const Expression& expression = source_.expressions[index(id)];
        switch (expression.kind) {
            case Expression::Kind::kLiteral:
                return emit_literal(expression.bytes, next);
            case Expression::Kind::kChars:
                return emit_chars(expression.ranges, next);
            case Expression::Kind::kRule:
                return emit_rule(expression.min, next);
            case Expression::Kind::kSequence:
                for (std::size_t i = expression.parts.size(); i-- > 0;)
                    next = emit(expression.parts[i], next);
                return next;
            case Expression::Kind::kChoice: {
                std::vector<StateId> starts;
                for (const ExprId part : expression.parts) starts.push_back(emit(part, next));
                return add_split(starts);
            }
            case Expression::Kind::kRepeat:
                return emit_repeat(expression, next);
        }
        return next;
    }

    StateId emit_literal(const std::string& bytes, StateId next) {
        for (std::size_t i = bytes.size(); i-- > 0;) {
            const auto byte = static_cast<std::uint8_t>(bytes[i]);
            const ByteEdge edge{byte, byte, next};
            next = add_bytes(std::span(&edge, 1));
        }
        return next;
    }

    /// Sequences that begin alike share their states.
    StateId emit_chars(const std::vector<CharRange>& ranges, StateId next) {
        std::vector<ByteSequence> sequences;
        for (const CharRange& range : ranges)
            for (const ByteSequence& sequence : utf8_sequences(range))
                sequences.push_back(sequence);
        return emit_sequences(sequences, 0, next);
    }

    StateId emit_sequences(std::span<const ByteSequence> all, std::size_t depth, StateId next) {
        std::vector<ByteEdge> edges;
        for (std::size_t i = 0; i < all.size();) {
            const ByteSequence::Range range = all[i].bytes[depth];
            std::size_t n = 1;
            if (all[i].size > depth + 1)
                while (i + n < all.size() && all[i + n].bytes[depth] == range) ++n;
            const StateId target =
                all[i].size == depth + 1 ? next : emit_rest(all.subspan(i, n), depth + 1, next);
            edges.push_back({range.first, range.last, target});
            i += n;
        }
        return add_bytes(edges);
    }

    /// Most rests are "any continuation bytes": made once for each next state.
    StateId emit_rest(std::span<const ByteSequence> all, std::size_t depth, StateId next) {
        const auto is_any = [&](const ByteSequence& one) {
            for (std::size_t i = depth; i < one.size; ++i)
                if (!(one.bytes[i] == ByteSequence::Range{0x80, 0xBF})) return false;
            return true;
        };
        if (all.size() > 1 || !is_any(all[0])) return emit_sequences(all, depth, next);
        const std::pair key{next, all[0].size - depth};
        if (const auto known = any_rest_.find(key); known != any_rest_.end()) return known->second;
        const StateId made = emit_sequences(all, depth, next);
        any_rest_.emplace(key, made);
        return made;
    }

    StateId emit_rule(std::int32_t rule, StateId next) {
        if (inline_states(rule) <= kInlineStates)
            return emit(source_.rules[index(rule)].body, next);
        if (out_.starts_[index(rule)] == -1) {
            out_.starts_[index(rule)] = -2;  // it will be compiled
            wanted_.push_back(rule);
            called_.push_back(rule);
        }
        return add({.kind = Kind::kCall, .rule = rule, .next = next});
    }

    StateId emit_repeat(const Expression& repeat, StateId next) {
        const ExprId inside = repeat.parts.front();
        if (repeat.max == 0) return next;
        if (repeat.max == 1) {
            const StateId body = emit(inside, next);
            return repeat.min == 1 ? body : add_split(std::array{body, next});
        }
        if (repeat.min <= 1 && repeat.max == kNoLimit) {
            const StateId again = add_split(std::array{next, next});
            const StateId body = emit(inside, again);
            out_.targets_[index(out_.states_[index(again)].first)] = body;
            return repeat.min == 0 ? again : body;
        }
        const StateId end = add({.kind = Kind::kLoopEnd});
        const StateId body = emit(inside, end);
        return add({.kind = Kind::kLoop,
                    .body = body,
                    .next = next,
                    .min = repeat.min,
                    .max = repeat.max});
    }

    /// How many states a rule takes where it is used, up to kNotInlined.
    std::int32_t inline_states(std::int32_t rule) {
        std::int32_t& known = inline_states_[index(rule)];
        if (known >= 0) return known;
        known = kNotInlined;  // while it is looked at: what calls itself is not inlined
        const std::int32_t n = count_states(source_.rules[index(rule)].body, 0);
        inline_states_[index(rule)] = n;
        return n;
    }

    std::int32_t count_states(ExprId id, std::int32_t depth) {
        const Expression& expression = source_.expressions[index(id)];
        if (depth > 16) return kNotInlined;  // through rules, too
        std::int32_t n = 1;
        switch (expression.kind) {
            case Expression::Kind::kLiteral:
                n = static_cast<std::int32_t>(std::min<std::size_t>(expression.bytes.size(), 100));
                break;
            case Expression::Kind::kChars:
                n = expression.ranges.back().last > 0x7F ? 8 : 1;
                break;
            case Expression::Kind::kRule:
                n = inline_depth_ < 8 ? count_rule(expression.min) : kNotInlined;
                break;
            case Expression::Kind::kRepeat:
                if (expression.max > 1) return kNotInlined;
                [[fallthrough]];
            default:
                for (const ExprId part : expression.parts)
                    if (n <= kInlineStates) n += count_states(part, depth + 1);
        }
        return std::min(n, kNotInlined);
    }

    std::int32_t count_rule(std::int32_t rule) {
        ++inline_depth_;
        const std::int32_t n = inline_states(rule);
        --inline_depth_;
        return n;
    }

    std::uint32_t measured(const GrammarState& state) const {
        const auto to_end = [this](StateId id) { return out_.to_end_[index(id)]; };
        std::uint32_t best = kNeverEnds;
        switch (state.kind) {
            case Kind::kEnd:
            case Kind::kLoopEnd:
                return 0;
            case Kind::kBytes:
                for (const ByteEdge& edge : out_.edges(state))
                    best = std::min(best, plus(to_end(edge.target), 1));
                return best;
            case Kind::kSplit:
                for (const StateId target : out_.targets(state))
                    best = std::min(best, to_end(target));
                return best;
            case Kind::kCall:
                return plus(to_end(out_.start(state.rule)), to_end(state.next));
            case Kind::kLoop:
                return plus(times(state.min, to_end(state.body)), to_end(state.next));
        }
        return best;
    }

    /// Fewest bytes to the end, for all states: better and better until nothing changes.
    void measure() {
        out_.to_end_.assign(out_.states_.size(), kNeverEnds);
        bool forward = true;
        for (bool changed = true; changed; forward = !forward) {
            changed = false;
            const std::size_t n = out_.states_.size();
            for (std::size_t k = 0; k < n; ++k) {
                const std::size_t i = forward ? k : n - 1 - k;
                const std::uint32_t now = measured(out_.states_[i]);
                changed = changed || now < out_.to_end_[i];
                out_.to_end_[i] = std::min(out_.to_end_[i], now);
            }
        }
    }

    Result<> check_ends() const {
        for (std::size_t i = called_.size(); i-- > 0;) {  // the cause was called last
            const std::int32_t rule = called_[i];
            if (out_.bytes_to_end(out_.start(rule)) < kNeverEnds) continue;
            return fail(ErrorCode::kInvalidArgument,
                        "the rule {} of the grammar can't end: every way through it needs it again",
                        source_.rules[index(rule)].name);
        }
        return {};
    }

    /// Rules that may be called before a rule has read any byte.
    std::vector<std::int32_t> called_first(std::int32_t rule) const {
        std::vector<std::int32_t> rules;
        std::vector<StateId> open = {out_.start(rule)};
        const auto visit = [&](StateId id) { open.push_back(id); };
        while (!open.empty()) {
            const StateId id = open.back();
            open.pop_back();
            if (seen_at_[index(id)] == rule) continue;
            seen_at_[index(id)] = rule;
            const GrammarState& state = out_.state(id);
            if (state.kind == Kind::kSplit) {
                for (const StateId target : out_.targets(state)) visit(target);
            } else if (state.kind == Kind::kCall) {
                rules.push_back(state.rule);
                if (out_.bytes_to_end(out_.start(state.rule)) == 0) visit(state.next);
            } else if (state.kind == Kind::kLoop) {
                visit(state.body);
                if (state.min == 0 || out_.bytes_to_end(state.body) == 0) visit(state.next);
            }
        }
        return rules;
    }

    Result<> check_left_recursion() {
        seen_at_.assign(out_.states_.size(), -1);
        enum class Mark : std::uint8_t { kNew, kOpen, kDone };
        std::vector<Mark> marks(source_.rules.size(), Mark::kNew);
        struct Visit {
            std::int32_t rule;
            std::vector<std::int32_t> left;
        };
        for (const std::int32_t first : called_) {
            if (marks[index(first)] != Mark::kNew) continue;
            std::vector<Visit> path;
            path.push_back({first, called_first(first)});
            marks[index(first)] = Mark::kOpen;
            while (!path.empty()) {
                Visit& now = path.back();
                if (now.left.empty()) {
                    marks[index(now.rule)] = Mark::kDone;
                    path.pop_back();
                    continue;
                }
                const std::int32_t rule = now.left.back();
                now.left.pop_back();
                if (marks[index(rule)] == Mark::kOpen) {
                    return fail(ErrorCode::kInvalidArgument,
                                "the rule {} of the grammar is left-recursive: it calls itself "
                                "before any character",
                                source_.rules[index(rule)].name);
                }
                if (marks[index(rule)] == Mark::kDone) continue;
                marks[index(rule)] = Mark::kOpen;
                path.push_back({rule, called_first(rule)});
            }
        }
        return {};
    }

    const GrammarSource& source_;
    Grammar out_;
    std::vector<std::int32_t> wanted_;  // rules that are called and not yet compiled
    std::vector<std::int32_t> called_;  // all that are called
    std::vector<std::int32_t> inline_states_;
    std::int32_t inline_depth_ = 0;
    std::map<std::pair<StateId, std::size_t>, StateId> any_rest_;
    mutable std::vector<std::int32_t> seen_at_;
};

Result<std::shared_ptr<const Grammar>> Grammar::compile(const GrammarSource& source) {
    return GrammarCompiler(source).compile();
}

Result<std::shared_ptr<const Grammar>> Grammar::from_gbnf(std::string_view text,
                                                          const GrammarLimits& limits) {
    NOTSO_TRY(const GrammarSource source, parse_gbnf(text, limits));
    return compile(source);
}

std::size_t Grammar::memory_bytes() const noexcept {
    return states_.size() * (sizeof(GrammarState) + sizeof(std::uint32_t)) +
           edges_.size() * sizeof(ByteEdge) + targets_.size() * sizeof(StateId);
}

}  // namespace notso::ml

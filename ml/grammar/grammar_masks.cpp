// A walk over the trie with the ways through the grammar beside it. What lies above the innermost
// rule call is walked once for all callers; where it ends, the walk goes on in the caller.
#include "ml/grammar/grammar_masks.hpp"

#include <algorithm>
#include <utility>

#include "ml/grammar/tokens_to_end.hpp"

namespace notso::ml {
namespace {

constexpr std::size_t kMaxLocals = 4096;   // kept between masks
constexpr std::size_t kMostLocals = 8192;  // while a mask is made
constexpr std::size_t kMaxFrames = 100'000;
constexpr std::size_t kMaxMaskBytes = 8 << 20;
/// Of a walk: ends that of a hostile grammar. Enough for every token of the largest vocabularies.
constexpr std::int64_t kMaxWork = 4'000'000;
constexpr std::uint32_t kWorkPerItem = 8;  // to follow one way by a byte

}  // namespace

/// One mask that is being made. Used with the lock held.
class MaskWalk {
  public:
    MaskWalk(GrammarMasks& masks,
             StackPool& pool,
             std::uint32_t n_most,
             std::span<std::uint64_t> mask)
        : masks_(masks), nodes_(masks.trie_->nodes()), pool_(pool), n_most_(n_most), mask_(mask) {}

    MaskBounds run(const Config& config) {
        GrammarMasks::Budget budget = masks_.new_budget();
        for (const Group& group : groups_of(config)) {
            if (budget.left <= 0) break;
            if (n_most_ >= kNeverEnds) {
                use_known(group, budget);
            } else {
                walk(group, 0, nodes_.size(), budget);
            }
        }
        return bounds_;
    }

  private:
    /// Ways that have the caller in common.
    struct Group {
        FrameId caller = kBottom;
        Config above = {};
        GrammarMasks::ConfigId local = GrammarMasks::kDead;
        std::uint32_t n_below = 0;  ///< Tokens to the end of the text from the end of the rule.
    };

    std::vector<Group> groups_of(const Config& config) {
        std::vector<Group> groups;
        for (const Item& item : config.items) {
            const auto [caller, above] = split(item);
            auto group = std::ranges::find(groups, caller, &Group::caller);
            if (group == groups.end()) group = groups.insert(groups.end(), {.caller = caller});
            group->above.items.push_back(above);
            // Counts that are alike for a token's length may need more passes in truth.
            const std::uint32_t n =
                pool_.n_to_end(item) - std::min(pool_.n_to_end(item), masks_.pool_.n_to_end(above));
            group->n_below = std::max(group->n_below, n);
        }
        for (Group& group : groups) group.local = masks_.intern(std::move(group.above));
        return groups;
    }

    /// The innermost call below an item, and the item above it in the pool of local frames.
    std::pair<FrameId, Item> split(const Item& item) {
        std::vector<FrameId> loops;
        FrameId id = item.below;
        for (; id != kBottom && pool_.frame(id).is_loop; id = pool_.frame(id).below)
            loops.push_back(id);
        FrameId below = kBottom;
        for (std::size_t i = loops.size(); i-- > 0;) {
            const Frame& loop = pool_.frame(loops[i]);
            below = masks_.pool_.push(
                {.state = loop.state,
                 .count = alike_count(masks_.grammar_->state(loop.state), loop.count),
                 .below = below,
                 .is_loop = true});
        }
        return {id, {item.state, below}};
    }

    /// Steps from one node to the next; `visit` hears of each that fits.
    template <class Visit>
    void each(GrammarMasks::ConfigId start,
              std::size_t begin,
              std::size_t end,
              GrammarMasks::Budget& budget,
              const Visit& visit) {
        if (start == GrammarMasks::kDead || begin == end) return;
        std::array<GrammarMasks::ConfigId, kLongestTokenBytes + 1> at;
        at[nodes_[begin].depth - 1U] = start;
        for (std::size_t i = begin; i < end && budget.left > 0;) {
            const TokenTrie::Node& node = nodes_[i];
            const GrammarMasks::ConfigId from = at[node.depth - 1U];
            const GrammarMasks::ConfigId to = masks_.step(from, node.byte, budget);
            if (to == GrammarMasks::kDead) {
                i = node.end;
                continue;
            }
            at[node.depth] = to;
            visit(i, masks_.local(to));
            ++i;
        }
    }

    void walk(const Group& group,
              std::size_t begin,
              std::size_t end,
              GrammarMasks::Budget& budget) {
        each(group.local, begin, end, budget, [&](std::size_t i, const GrammarMasks::Local& local) {
            const TokenTrie::Node& node = nodes_[i];
            if (node.token >= 0) {
                const std::uint32_t n_after = local.n_to_end + group.n_below;
                bounds_.add(n_after);
                if (n_after <= n_most_) masks_.trie_->mark(i, mask_);
            }
            if (local.config.at_bottom && node.end > i + 1) go_on(group.caller, i, budget);
        });
    }

    /// The rule is through at a node: on with its caller.
    void go_on(FrameId caller, std::size_t node, GrammarMasks::Budget& budget) {
        if (caller == kBottom) return;
        const auto [known, is_new] = callers_.try_emplace(caller);
        if (is_new) known->second = groups_of(pool_.pop(caller));
        const std::vector<Group>& groups = known->second;  // stays where it is
        for (const Group& group : groups) walk(group, node + 1, nodes_[node].end, budget);
    }

    void use_known(const Group& group, GrammarMasks::Budget& budget) {
        const GrammarMasks::LocalMask& known = local_mask(group.local);
        for (std::size_t i = 0; i < known.tokens.size(); ++i) mask_[i] |= known.tokens[i];
        if (known.bounds.least_after < kNeverEnds) {
            bounds_.add(known.bounds.least_after + group.n_below);
            bounds_.add(known.bounds.most_after + group.n_below);
        }
        budget.left -= known.work;
        for (const std::uint32_t exit : known.exits) go_on(group.caller, exit, budget);
    }

    const GrammarMasks::LocalMask& local_mask(GrammarMasks::ConfigId id) {
        const auto [known, is_new] = masks_.masks_.try_emplace(id);
        GrammarMasks::LocalMask& made = known->second;
        if (!is_new) return made;
        made.tokens.assign(mask_.size(), 0);
        GrammarMasks::Budget budget = masks_.new_budget();
        each(id, 0, nodes_.size(), budget, [&](std::size_t i, const GrammarMasks::Local& local) {
            if (nodes_[i].token >= 0) {
                masks_.trie_->mark(i, made.tokens);
                made.bounds.add(local.n_to_end);
            }
            if (local.config.at_bottom && nodes_[i].end > i + 1)
                made.exits.push_back(static_cast<std::uint32_t>(i));
        });
        made.work = kMaxWork - budget.left;
        return made;
    }

    GrammarMasks& masks_;
    std::span<const TokenTrie::Node> nodes_;
    StackPool& pool_;
    const std::uint32_t n_most_;
    std::span<std::uint64_t> mask_;
    MaskBounds bounds_;
    std::unordered_map<FrameId, std::vector<Group>> callers_;
};

Result<std::shared_ptr<GrammarMasks>> GrammarMasks::create(std::shared_ptr<const Grammar> grammar,
                                                           std::shared_ptr<const TokenTrie> trie) {
    TokensToEnd to_end = tokens_to_end(*grammar, *trie);
    if (to_end[static_cast<std::size_t>(grammar->root())] >= kNeverEnds) {
        return fail(ErrorCode::kUnsupported,
                    "this model's vocabulary has no tokens for what the grammar asks for");
    }
    return std::shared_ptr<GrammarMasks>(
        new GrammarMasks(std::move(grammar), std::move(trie), std::move(to_end)));
}

GrammarMasks::GrammarMasks(std::shared_ptr<const Grammar> grammar,
                           std::shared_ptr<const TokenTrie> trie,
                           TokensToEnd to_end)
    : grammar_(std::move(grammar)),
      trie_(std::move(trie)),
      to_end_(std::move(to_end)),
      pool_(*grammar_, to_end_) {}

MaskBounds GrammarMasks::fill(StackPool& pool,
                              const Config& config,
                              std::uint32_t n_most,
                              std::span<std::uint64_t> mask) {
    const std::lock_guard lock(mutex_);
    forget_if_full();
    return MaskWalk(*this, pool, n_most, mask).run(config);
}

std::size_t GrammarMasks::memory_bytes() const {
    const std::lock_guard lock(mutex_);
    const std::size_t mask_bytes = mask_words(trie_->n_vocab()) * sizeof(std::uint64_t);
    return grammar_->memory_bytes() + pool_.size() * (sizeof(Frame) * 2) +
           locals_.size() * (sizeof(Local) + 256 * sizeof(Step)) + masks_.size() * mask_bytes;
}

void GrammarMasks::forget_if_full() {
    const std::size_t mask_bytes = mask_words(trie_->n_vocab()) * sizeof(std::uint64_t);
    if (locals_.size() <= kMaxLocals && pool_.size() <= kMaxFrames &&
        masks_.size() * mask_bytes <= kMaxMaskBytes)
        return;
    masks_.clear();
    known_.clear();
    locals_.clear();
    pool_.clear();
}

std::size_t GrammarMasks::ConfigHash::operator()(const Config& config) const noexcept {
    std::uint64_t x = config.at_bottom;
    for (const Item& item : config.items) {
        x = (x ^ static_cast<std::uint32_t>(item.state)) * 0x9E3779B97F4A7C15;
        x = (x ^ x >> 29 ^ static_cast<std::uint32_t>(item.below)) * 0xBF58476D1CE4E5B9;
    }
    return static_cast<std::size_t>(x ^ x >> 32);
}

GrammarMasks::ConfigId GrammarMasks::intern(Config config) {
    if (config.items.empty() && !config.at_bottom) return kDead;
    if (const auto known = known_.find(config); known != known_.end()) return known->second;
    if (locals_.size() >= kMostLocals) return kDead;
    Local made;
    made.config = config;
    made.n_to_end = config.at_bottom ? 0 : kNeverEnds;
    for (const Item& item : config.items)
        made.n_to_end = std::min(made.n_to_end, pool_.n_to_end(item));
    made.work = 1 + kWorkPerItem * static_cast<std::uint32_t>(config.items.size());
    const auto id = static_cast<ConfigId>(locals_.size());
    locals_.push_back(std::move(made));
    known_.emplace(std::move(config), id);
    return id;
}

GrammarMasks::Budget GrammarMasks::new_budget() {
    if (++n_walks_ == 0) {  // after four billion: the marks begin anew
        for (Local& one : locals_)
            if (one.next)
                for (Step& step : *one.next) step.walk = 0;
        n_walks_ = 1;
    }
    return {.left = kMaxWork, .walk = n_walks_};
}

GrammarMasks::ConfigId GrammarMasks::step(ConfigId from, std::uint8_t byte, Budget& budget) {
    Local& local_from = locals_[static_cast<std::size_t>(from)];
    if (!local_from.next) local_from.next = std::make_unique<std::array<Step, 256>>();
    Step& step = (*local_from.next)[byte];  // stays where it is
    --budget.left;
    if (step.walk != budget.walk) budget.left -= local_from.work;
    step.walk = budget.walk;
    if (step.to != kUnknown) return step.to;
    Config config = pool_.step(local_from.config, byte);
    step.to = intern(std::move(config));  // may move the locals
    return step.to;
}

}  // namespace notso::ml

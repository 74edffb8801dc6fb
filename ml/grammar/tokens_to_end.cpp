// Better and better until nothing changes. States that wait for a byte follow the way with the
// fewest bytes, and take the best of the tokens that lie on it.
#include "ml/grammar/tokens_to_end.hpp"

#include <algorithm>
#include <optional>

namespace notso::ml {
namespace {

using Kind = GrammarState::Kind;

constexpr int kMaxHops = 64;

class TokenCounter {
  public:
    TokenCounter(const Grammar& grammar, const TokenTrie& trie)
        : grammar_(grammar), trie_(trie), to_end_(grammar.states().size(), kNeverEnds) {}

    TokensToEnd count() {
        bool forward = true;
        for (bool changed = true; changed; forward = !forward) {
            changed = false;
            for (std::size_t k = 0; k < to_end_.size(); ++k) {
                const std::size_t i = forward ? k : to_end_.size() - 1 - k;
                const std::uint32_t now = of_state(static_cast<StateId>(i));
                if (now >= to_end_[i]) continue;
                to_end_[i] = now;
                changed = true;
            }
        }
        return std::move(to_end_);
    }

  private:
    struct Step {
        std::uint8_t byte;
        StateId target;
    };

    std::uint32_t known(StateId id) const { return to_end_[static_cast<std::size_t>(id)]; }
    static std::uint32_t limited(std::uint64_t n) {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(n, kNeverEnds));
    }

    std::uint32_t of_state(StateId id) const {
        const GrammarState& state = grammar_.state(id);
        std::uint32_t best = kNeverEnds;
        switch (state.kind) {
            case Kind::kEnd:
            case Kind::kLoopEnd:
                return 0;
            case Kind::kBytes:
                return of_bytes(id);
            case Kind::kSplit:
                for (const StateId target : grammar_.targets(state))
                    best = std::min(best, known(target));
                return best;
            case Kind::kCall:
                return limited(std::uint64_t{known(grammar_.start(state.rule))} +
                               known(state.next));
            case Kind::kLoop:
                return limited(static_cast<std::uint64_t>(state.min) * known(state.body) +
                               known(state.next));
        }
        return best;
    }

    std::uint32_t of_bytes(StateId id) const {
        std::uint32_t best = kNeverEnds;
        std::uint32_t node = TokenTrie::kNoNode;
        for (std::size_t n = 0; n < kLongestTokenBytes; ++n) {
            const std::optional<Step> step = quickest(id);
            if (!step) break;
            node = trie_.child(node, step->byte);
            if (node == TokenTrie::kNoNode) break;
            id = step->target;
            if (trie_.nodes()[node].token >= 0)
                best = std::min(best, limited(std::uint64_t{1} + known(id)));
        }
        return best;
    }

    /// The byte that brings the end nearest; none where a rule begins or ends.
    std::optional<Step> quickest(StateId id) const {
        for (int hops = 0; grammar_.state(id).kind == Kind::kSplit; ++hops) {
            if (hops == kMaxHops) return std::nullopt;  // loops in loops may lead back
            StateId best = -1;
            for (const StateId to : grammar_.targets(grammar_.state(id)))
                if (best < 0 || grammar_.bytes_to_end(to) < grammar_.bytes_to_end(best)) best = to;
            id = best;
        }
        const GrammarState& state = grammar_.state(id);
        if (state.kind != Kind::kBytes) return std::nullopt;
        std::optional<Step> best;
        for (const ByteEdge& edge : grammar_.edges(state)) {
            if (best && grammar_.bytes_to_end(edge.target) >= grammar_.bytes_to_end(best->target))
                continue;
            for (int byte = edge.first; byte <= edge.last; ++byte) {
                if (!trie_.has_byte(static_cast<std::uint8_t>(byte))) continue;
                best = {static_cast<std::uint8_t>(byte), edge.target};
                break;
            }
        }
        return best;
    }

    const Grammar& grammar_;
    const TokenTrie& trie_;
    TokensToEnd to_end_;
};

}  // namespace

TokensToEnd tokens_to_end(const Grammar& grammar, const TokenTrie& trie) {
    return TokenCounter(grammar, trie).count();
}

}  // namespace notso::ml

// GrammarMasks: which tokens of a vocabulary may follow where in a grammar. Shared by all requests
// with the same grammar and model; what was found out is kept, within bounds.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "ml/grammar/grammar.hpp"
#include "ml/grammar/stack_pool.hpp"
#include "ml/grammar/token_trie.hpp"

namespace notso::ml {

/// What is known of the tokens in a mask: how many tokens it takes at least after each.
struct MaskBounds {
    std::uint32_t least_after = kNeverEnds;
    std::uint32_t most_after = 0;
    void add(std::uint32_t n_after) {
        least_after = std::min(least_after, n_after);
        most_after = std::max(most_after, n_after);
    }
};

class GrammarMasks {
  public:
    /// @errors kUnsupported when the vocabulary can't write any text of the grammar.
    static Result<std::shared_ptr<GrammarMasks>> create(std::shared_ptr<const Grammar> grammar,
                                                        std::shared_ptr<const TokenTrie> trie);

    const Grammar& grammar() const noexcept { return *grammar_; }
    const TokenTrie& trie() const noexcept { return *trie_; }
    const TokensToEnd& to_end() const noexcept { return to_end_; }

    /// The tokens that may follow.
    /// @param pool    Of the config's frames; it gets more.
    /// @param n_most  Tokens after which more than so many are needed to the end are left out.
    /// @param mask    [mask_words(n_vocab)], all zero before.
    /// @return Bounds over all tokens, also those left out.
    /// @cost The first time at a place of the grammar some nanoseconds for each token that begins
    /// right; later a copy, and a look at the tokens that reach over the end of the rule. Bounded
    /// for any grammar: then some tokens are left out.
    MaskBounds fill(StackPool& pool,
                    const Config& config,
                    std::uint32_t n_most,
                    std::span<std::uint64_t> mask);

    /// About what is kept.
    std::size_t memory_bytes() const;

  private:
    friend class MaskWalk;

    using ConfigId = std::int32_t;
    static constexpr ConfigId kDead = -1;
    static constexpr ConfigId kUnknown = -2;

    /// Where a byte leads to, and the last walk that went there.
    struct Step {
        ConfigId to = kUnknown;
        std::uint32_t walk = 0;
    };
    /// What a walk has left. Every step counts; a way is counted as if it had to be found once in
    /// each walk: what comes out must not depend on what is known already.
    struct Budget {
        std::int64_t left = 0;
        std::uint32_t walk = 0;
    };

    /// A config above kBottom: what may follow without a look at the caller.
    struct Local {
        Config config;
        std::uint32_t n_to_end = 0;
        std::uint32_t work = 1;  ///< What it takes to find a step from here.
        std::unique_ptr<std::array<Step, 256>> next;
    };
    /// All tokens that fit a local config, and the nodes of the trie at which its rule is through.
    struct LocalMask {
        std::vector<std::uint64_t> tokens;
        std::vector<std::uint32_t> exits;
        MaskBounds bounds;
        std::int64_t work = 0;  ///< What it took; counted whenever it is used.
    };
    struct ConfigHash {
        std::size_t operator()(const Config& config) const noexcept;
    };

    GrammarMasks(std::shared_ptr<const Grammar> grammar,
                 std::shared_ptr<const TokenTrie> trie,
                 TokensToEnd to_end);

    void forget_if_full();
    ConfigId intern(Config config);
    ConfigId step(ConfigId from, std::uint8_t byte, Budget& budget);
    Budget new_budget();
    const Local& local(ConfigId id) const { return locals_[static_cast<std::size_t>(id)]; }

    std::shared_ptr<const Grammar> grammar_;
    std::shared_ptr<const TokenTrie> trie_;
    const TokensToEnd to_end_;
    mutable std::mutex mutex_;  // guards what follows
    StackPool pool_;
    std::uint32_t n_walks_ = 0;
    std::vector<Local> locals_;
    std::unordered_map<Config, ConfigId, ConfigHash> known_;
    std::unordered_map<ConfigId, LocalMask> masks_;
};

}  // namespace notso::ml

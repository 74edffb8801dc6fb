// Grammar: rules compiled to states over bytes that call each other, checked so that following them
// always ends. Immutable; knows nothing of tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/grammar/gbnf.hpp"
#include "ml/grammar/grammar_source.hpp"

namespace notso::ml {

using StateId = std::int32_t;

/// A byte from first to last leads to a state.
struct ByteEdge {
    std::uint8_t first = 0;
    std::uint8_t last = 0;
    StateId target = 0;
};

struct GrammarState {
    enum class Kind : std::uint8_t {
        kBytes,    ///< One of its edges is taken.
        kSplit,    ///< Goes on at one of its targets, without a byte.
        kCall,     ///< Rule `rule`, then state `next`.
        kLoop,     ///< State `body`, min to max times, each up to kLoopEnd, then state `next`.
        kLoopEnd,  ///< Back to the loop.
        kEnd,      ///< The rule is through.
    };
    Kind kind = Kind::kEnd;
    std::int32_t first = 0;  ///< Of its edges or targets.
    std::int32_t n = 0;      ///< How many there are.
    std::int32_t rule = -1;
    StateId body = -1;
    StateId next = -1;
    std::int32_t min = 0;
    std::int32_t max = 0;
};

/// Bytes that are never reached.
inline constexpr std::uint32_t kNeverEnds = 1'000'000'000;

class Grammar {
  public:
    /// @errors kInvalidArgument: a rule that calls itself before any byte (left recursion), one
    /// that can't end, or too many states, with the rule's name.
    static Result<std::shared_ptr<const Grammar>> compile(const GrammarSource& source);
    /// parse_gbnf() and compile().
    static Result<std::shared_ptr<const Grammar>> from_gbnf(std::string_view text,
                                                            const GrammarLimits& limits = {});

    std::span<const GrammarState> states() const noexcept { return states_; }
    const GrammarState& state(StateId id) const { return states_[static_cast<std::size_t>(id)]; }
    std::span<const ByteEdge> edges(const GrammarState& state) const {
        return std::span(edges_).subspan(static_cast<std::size_t>(state.first),
                                         static_cast<std::size_t>(state.n));
    }
    std::span<const StateId> targets(const GrammarState& state) const {
        return std::span(targets_).subspan(static_cast<std::size_t>(state.first),
                                           static_cast<std::size_t>(state.n));
    }
    /// Where a rule begins; -1 for rules that are never called.
    StateId start(std::int32_t rule) const { return starts_[static_cast<std::size_t>(rule)]; }
    StateId root() const { return start(root_); }
    /// Fewest bytes from a state to the end of its rule or of its loop's body.
    std::uint32_t bytes_to_end(StateId id) const { return to_end_[static_cast<std::size_t>(id)]; }
    /// About what it takes in memory.
    std::size_t memory_bytes() const noexcept;

  private:
    friend class GrammarCompiler;

    std::vector<GrammarState> states_;
    std::vector<ByteEdge> edges_;
    std::vector<StateId> targets_;
    std::vector<StateId> starts_;  // by rule
    std::vector<std::uint32_t> to_end_;
    std::int32_t root_ = 0;
};

}  // namespace notso::ml

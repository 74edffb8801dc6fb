// TokenGuide: how a request steers what may be generated: a grammar, a budget for thoughts. The
// engine asks it before every token and tells it what came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

/// A set of tokens, one bit each: token i is bit i % 64 of word i / 64. Tokens behind the last word
/// are not in it.
using TokenMask = std::span<const std::uint64_t>;

constexpr std::size_t mask_words(std::size_t n_vocab) noexcept { return (n_vocab + 63) / 64; }
constexpr bool in_mask(TokenMask mask, TokenId id) noexcept {
    const std::size_t word = to_index(id) / 64;
    return word < mask.size() && (mask[word] >> (to_index(id) % 64) & 1) != 0;
}

/// What a guide allows as the next token.
struct Allowed {
    enum class Kind : std::uint8_t {
        kAnything,
        kSet,      ///< One of `mask`, at least one; end tokens among them if the text may end here.
        kForced,   ///< Exactly `forced`; nothing is drawn. An end token ends the answer.
        kEnd,      ///< The text is complete and nothing may follow: FinishReason::kStop.
        kDeadEnd,  ///< No token can follow, yet the text is not complete: FinishReason::kError.
    };
    Kind kind = Kind::kAnything;
    TokenMask mask = {};  ///< For kSet. Valid until the guide is called again.
    TokenId forced{};     ///< For kForced.

    static Allowed anything() noexcept { return {}; }
    static Allowed set(TokenMask mask) noexcept { return {.kind = Kind::kSet, .mask = mask}; }
    static Allowed force(TokenId id) noexcept { return {.kind = Kind::kForced, .forced = id}; }
    static Allowed end() noexcept { return {.kind = Kind::kEnd}; }
    static Allowed dead_end() noexcept { return {.kind = Kind::kDeadEnd}; }
};

/// Belongs to one request and is called on the engine thread only, in the order of the text. A
/// request that is stopped and read again later goes on with the same guide: it hears of no token
/// twice. Guessed tokens are checked one after the other, so a guide never sees one that does not
/// come.
class TokenGuide {
  public:
    virtual ~TokenGuide() = default;

    /// What may come next. Asked anew before every token, right before it is chosen: a guide may
    /// look at an atomic flag that another thread sets and change its mind from one token to the
    /// next. It may be asked more than once about the same token. Must be quick.
    /// @param n_left  Tokens that the answer may still have, an end token not counted: a guide
    ///                brings its text to an end in time. With 0 none can follow; kEnd then says
    ///                that the text is complete as it is (kStop instead of kLength).
    virtual Allowed next(std::int32_t n_left) = 0;

    /// The token that was generated; never an end token.
    virtual void accept(TokenId id) = 0;
};

}  // namespace notso::ml

// TokenTrie: the tokens of a vocabulary that are text, ordered by their bytes, so that all tokens
// which begin alike are looked at together. Made once for a model; immutable.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "ml/sampling/token_guide.hpp"
#include "ml/tokenizer/tokenizer.hpp"

namespace notso::ml {

/// Longer tokens (long runs of spaces and the like) are in no trie: a grammar never allows them.
inline constexpr std::size_t kLongestTokenBytes = 32;

class TokenTrie {
  public:
    static constexpr std::uint32_t kNoNode = std::numeric_limits<std::uint32_t>::max();

    /// A node follows its parent, and its children follow it.
    struct Node {
        std::uint32_t end = 0;    ///< Behind the last node below it.
        std::int32_t token = -1;  ///< That ends here; -1 = none.
        std::uint8_t byte = 0;
        std::uint8_t depth = 0;  ///< Bytes up to here, from 1.
        bool has_more = false;   ///< Several tokens have these bytes: see more().
    };

    /// Control tokens, end tokens and tokens without text are left out.
    explicit TokenTrie(const Tokenizer& tokenizer);

    std::span<const Node> nodes() const noexcept { return nodes_; }
    std::size_t n_vocab() const noexcept { return n_vocab_; }
    std::span<const TokenId> end_tokens() const noexcept { return end_tokens_; }
    bool has_byte(std::uint8_t byte) const { return has_byte_[byte]; }
    /// The node that a byte leads to from a node, kNoNode = from the beginning; kNoNode when there
    /// is none.
    std::uint32_t child(std::uint32_t node, std::uint8_t byte) const;

    /// Adds all tokens that end at a node.
    void mark(std::size_t node, std::span<std::uint64_t> mask) const {
        const Node& one = nodes_[node];
        set(mask, one.token);
        if (one.has_more) mark_more(node, mask);
    }

  private:
    static void set(std::span<std::uint64_t> mask, std::int32_t token) {
        mask[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (token % 64);
    }
    void mark_more(std::size_t node, std::span<std::uint64_t> mask) const;

    std::vector<Node> nodes_;
    std::vector<std::pair<std::uint32_t, std::int32_t>> more_;  // node, another token; ascending
    std::array<std::uint32_t, 256> roots_{};  // nodes of depth 1, by byte, or kNoNode
    std::bitset<256> has_byte_;               // a token is this one byte
    std::size_t n_vocab_;
    std::vector<TokenId> end_tokens_;
};

}  // namespace notso::ml

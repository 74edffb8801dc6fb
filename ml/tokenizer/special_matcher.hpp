// SpecialMatcher: finds control and user-defined tokens in text, leftmost first, the longest of
// those at one place.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

/// Immutable once built; safe to use from many threads.
class SpecialMatcher {
  public:
    /// Longest text a special token may have (bytes): bounds the work at one place of a text.
    static constexpr std::size_t kMaxLength = 512;

    /// Adds a token. Empty texts are never found; of two tokens with one text the last one counts.
    /// @errors kCorruptData when the text is longer than kMaxLength.
    Result<> add(std::string_view text, TokenId id);

    struct Match {
        std::size_t begin;
        std::size_t end;
        TokenId id;
    };

    /// The first match in `text` at `from` or later that begins at none of `forbidden` (ascending
    /// offsets in `text`).
    std::optional<Match> find(std::string_view text,
                              std::size_t from,
                              std::span<const std::size_t> forbidden) const;

    /// The token with exactly this text.
    std::optional<TokenId> exact(std::string_view text) const;

    bool empty() const noexcept { return ids_.empty(); }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
    std::array<std::vector<std::size_t>, 256> lengths_;  // by first byte, descending, each once
};

}  // namespace notso::ml

// TokenId: a strong type for entries of the vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace notso::ml {

/// Index of a vocabulary entry. Valid ids are 0 ≤ id < Tokenizer::vocab_size().
enum class TokenId : std::int32_t {};

constexpr std::int32_t to_int(TokenId id) noexcept { return std::to_underlying(id); }
constexpr std::size_t to_index(TokenId id) noexcept { return static_cast<std::size_t>(std::to_underlying(id)); }

}  // namespace notso::ml

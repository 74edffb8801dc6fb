// The block types that the engine runs: one traits row each. Types that are not here are refused at
// load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ml/gguf/file.hpp"

namespace notso::ml::quant {

/// @param row  `n` weights, whole blocks. @param out  [n] f32.
using DecodeRow = void (*)(const std::byte* row, float* out, std::size_t n) noexcept;
/// Dot product of `n` weights, whole blocks, with x [n].
using DotRow = float (*)(const std::byte* row, const float* x, std::size_t n) noexcept;

/// @param row  [n] f32, finite, whole blocks. Magnitudes above 65504 are cut there.
using EncodeRow = void (*)(const float* row, std::byte* out, std::size_t n) noexcept;

struct TypeTraits {
    gguf::TensorType type;
    std::string_view name;
    std::uint32_t elements;  ///< Weights per block.
    std::uint32_t bytes;     ///< Bytes per block.
    DecodeRow decode;
    DotRow dot;
    EncodeRow encode = nullptr;  ///< Null: the program reads this type and does not write it.
};

/// Null for a type that the engine can't run.
const TypeTraits* find_type(gguf::TensorType type) noexcept;

std::span<const TypeTraits> runnable_types() noexcept;

/// "F32, F16, …" for messages.
std::string runnable_type_names();

}  // namespace notso::ml::quant

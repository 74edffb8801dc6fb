// The encoders: f32 weights to blocks, one function per block type that the program writes.
// A block is chosen for the smallest error, not merely rounded; see docs/engine_reference.md.
#pragma once

#include <cstddef>

namespace notso::ml::quant {

// All alike. @param row  [n] f32, finite; n fills whole blocks. Magnitudes above 65504 are cut
// there.
// @param out  whole blocks, every byte written. Deterministic; thread-safe for disjoint rows.
void encode_f16(const float* row, std::byte* out, std::size_t n) noexcept;
void encode_q4_0(const float* row, std::byte* out, std::size_t n) noexcept;
void encode_q5_0(const float* row, std::byte* out, std::size_t n) noexcept;
void encode_q5_1(const float* row, std::byte* out, std::size_t n) noexcept;
void encode_q8_0(const float* row, std::byte* out, std::size_t n) noexcept;
void encode_q4_k(const float* row, std::byte* out, std::size_t n) noexcept;
void encode_q5_k(const float* row, std::byte* out, std::size_t n) noexcept;
void encode_q6_k(const float* row, std::byte* out, std::size_t n) noexcept;

}  // namespace notso::ml::quant

// What the files of this folder define, for the table.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels::avx2 {

void store_f16(const float* row, std::byte* out, std::int32_t n) noexcept;
void store_f32(const float* row, std::byte* out, std::int32_t n) noexcept;
void store_q8_0(const float* row, std::byte* out, std::int32_t n) noexcept;
void rms_norm(const float* x, const float* weight, float* out, std::int32_t n, float eps) noexcept;
void rope(float* head, const float* cos_sin, std::int32_t n_pairs) noexcept;
void silu_mul(float* gate, const float* up, std::int32_t n) noexcept;
void softmax(float* x, std::int32_t n) noexcept;
std::int64_t multiply_bytes(std::int64_t n_steps) noexcept;
std::uint64_t read_memory(const std::byte* p, std::size_t n, std::size_t n_streams) noexcept;

inline constexpr TileLimits kTiles = {.few = 8, .most_of_few = 4, .most = 4};

/// Everything but the matrix products and attention.
inline constexpr KernelTable kOthers = {
    .name = "avx2",
    .matmul_by_type = {},
    .matmul_any = nullptr,
    .tiles = kTiles,
    .tiles_of_short_blocks = {.few = 16, .most_of_few = 4, .most = 4},
    .packed = {},
    .into_l2 = false,
    .kv = {{store_f16, {}}, {store_f32, {}}, {store_q8_0, {}}},
    .rms_norm = rms_norm,
    .rope = rope,
    .silu_mul = silu_mul,
    .softmax = softmax,
    .multiply_bytes = multiply_bytes,
    .read_memory = read_memory,
};

}  // namespace notso::ml::kernels::avx2

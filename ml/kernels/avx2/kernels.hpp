// What the files of this folder define, for the table.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels::avx2 {

void attention_f16(const AttentionArgs& args) noexcept;
void attention_f32(const AttentionArgs& args) noexcept;
void rms_norm(const float* x, const float* weight, float* out, std::int32_t n, float eps) noexcept;
void rope(float* head, const float* cos_sin, std::int32_t n_pairs) noexcept;
void silu_mul(float* gate, const float* up, std::int32_t n) noexcept;
void softmax(float* x, std::int32_t n) noexcept;
void f32_to_f16(const float* in, std::uint16_t* out, std::int32_t n) noexcept;
void f16_to_f32(const std::uint16_t* in, float* out, std::int32_t n) noexcept;

/// Everything but the matrix products.
inline constexpr KernelTable kOthers = {
    .name = "avx2",
    .matmul_by_type = {},
    .matmul_any = nullptr,
    .attention_f16 = attention_f16,
    .attention_f32 = attention_f32,
    .rms_norm = rms_norm,
    .rope = rope,
    .silu_mul = silu_mul,
    .softmax = softmax,
    .f32_to_f16 = f32_to_f16,
    .f16_to_f32 = f16_to_f32,
};

}  // namespace notso::ml::kernels::avx2

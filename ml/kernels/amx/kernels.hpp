// What the files of this folder define, for the table: products by tiles T.
#pragma once

#include "ml/kernels/simd/matmul_kernels.hpp"

namespace notso::ml::kernels {

struct AmxTiles;

/// Stands for an instruction set: products of a few exact tokens are those of AVX-512.
template <class T>
struct Tiled;

template <class T, Precision kPrecision>
struct PackedProducts<Tiled<T>, kPrecision> {
    static void q4_0(const PackedMatmulArgs& args) noexcept;
    static void q4_1(const PackedMatmulArgs& args) noexcept;
    static void q8_0(const PackedMatmulArgs& args) noexcept;
    static void q4_k(const PackedMatmulArgs& args) noexcept;
    static void q5_k(const PackedMatmulArgs& args) noexcept;
    static void q6_k(const PackedMatmulArgs& args) noexcept;
    static void quantize_token(const float* x, std::int32_t n, const TokenPlace& out) noexcept;
};

namespace amx {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept;

}  // namespace amx
}  // namespace notso::ml::kernels

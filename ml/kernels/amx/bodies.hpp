// Bodies of PackedProducts<Tiled<T>>. Only for files compiled with the flags of this folder.
#pragma once

#include "ml/kernels/amx/exact_product.hpp"
#include "ml/kernels/amx/fast_product.hpp"
#include "ml/kernels/amx/kernels.hpp"

namespace notso::ml::kernels {

struct Avx512;

/// Whether exact tokens are multiplied as AVX-512 does it. Fast ones never are: a token's bits
/// must not depend on the others.
template <Precision kPrecision>
constexpr bool are_few(std::int32_t n_tokens, const TileLimits& tiles) {
    return kPrecision == Precision::kExact && n_tokens <= tiles.few;
}

template <class T, template <class> class P, Precision kPrecision>
void tile_matmul(const PackedMatmulArgs& args, PackedMatmul few) noexcept {
    if (are_few<kPrecision>(args.n_tokens, args.x.tiles)) return few(args);
    if constexpr (kPrecision == Precision::kExact) {
        ExactTileProduct<T, P<Avx512>>(args).run();
    } else {
        FastTileProduct<T, P<Avx512>>(args).run();
    }
}

template <class T, Precision kPrecision>
void PackedProducts<Tiled<T>, kPrecision>::q4_0(const PackedMatmulArgs& args) noexcept {
    tile_matmul<T, PackedQ4_0, kPrecision>(args, PackedProducts<Avx512, kPrecision>::q4_0);
}
template <class T, Precision kPrecision>
void PackedProducts<Tiled<T>, kPrecision>::q4_1(const PackedMatmulArgs& args) noexcept {
    tile_matmul<T, PackedQ4_1, kPrecision>(args, PackedProducts<Avx512, kPrecision>::q4_1);
}
template <class T, Precision kPrecision>
void PackedProducts<Tiled<T>, kPrecision>::q8_0(const PackedMatmulArgs& args) noexcept {
    tile_matmul<T, PackedQ8_0, kPrecision>(args, PackedProducts<Avx512, kPrecision>::q8_0);
}
template <class T, Precision kPrecision>
void PackedProducts<Tiled<T>, kPrecision>::q4_k(const PackedMatmulArgs& args) noexcept {
    tile_matmul<T, PackedQ4_K, kPrecision>(args, PackedProducts<Avx512, kPrecision>::q4_k);
}
template <class T, Precision kPrecision>
void PackedProducts<Tiled<T>, kPrecision>::q5_k(const PackedMatmulArgs& args) noexcept {
    tile_matmul<T, PackedQ5_K, kPrecision>(args, PackedProducts<Avx512, kPrecision>::q5_k);
}
template <class T, Precision kPrecision>
void PackedProducts<Tiled<T>, kPrecision>::q6_k(const PackedMatmulArgs& args) noexcept {
    tile_matmul<T, PackedQ6_K, kPrecision>(args, PackedProducts<Avx512, kPrecision>::q6_k);
}
template <class T, Precision kPrecision>
void PackedProducts<Tiled<T>, kPrecision>::quantize_token(const float* x,
                                                          std::int32_t n,
                                                          const TokenPlace& out) noexcept {
    if (are_few<kPrecision>(out.n_tokens, out.tiles))
        return PackedProducts<Avx512, kPrecision>::quantize_token(x, n, out);
    put_tile_token<kPrecision>(x, n, out);
}

}  // namespace notso::ml::kernels

// The table of products and attention by tiles T, beside the kernels for AVX-512. For files
// compiled without the flags of this folder.
#pragma once

#include "ml/kernels/amx/kernels.hpp"
#include "ml/kernels/avx512/kernels.hpp"
#include "ml/kernels/simd/attention_kernels.hpp"
#include "ml/kernels/simd/matmul_table.hpp"

namespace notso::ml::kernels {

struct Avx512;
template <class T, class S>
struct TilePairs;

/// @tparam S  Rounds to bf16 for attention.
template <class T, class S>
constexpr KernelTable tiled_table(const char* name) {
    KernelTable table = with_attention<TilePairs<T, S>, Precision::kFast>(
        with_attention<Numbers<Avx512>>(with_products<Avx512, Tiled<T>>(avx512::kOthers)));
    table.name = name;
    table.tiles.most = 16;
    table.tiles_of_short_blocks = {.few = 16, .most_of_few = 6, .most = 16};
    return table;
}

}  // namespace notso::ml::kernels

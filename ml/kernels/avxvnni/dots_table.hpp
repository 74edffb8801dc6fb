// The table of products of packed weights by Dots, beside the kernels for AVX2. For files compiled
// without the flags of this folder.
#pragma once

#include "ml/kernels/avx2/kernels.hpp"
#include "ml/kernels/avxvnni/kernels.hpp"
#include "ml/kernels/simd/attention_kernels.hpp"
#include "ml/kernels/simd/matmul_table.hpp"

namespace notso::ml::kernels {

struct Avx2;
template <class Dots>
struct AvxVnni;

template <class Dots>
constexpr KernelTable dots_table(const char* name) {
    KernelTable table =
        with_attention<Numbers<Avx2>>(with_products<Avx2, AvxVnni<Dots>>(avx2::kOthers));
    table.name = name;
    table.tiles = avxvnni::kTiles;
    table.tiles_of_short_blocks = {.few = 16, .most_of_few = 4, .most = 5};
    return table;
}

}  // namespace notso::ml::kernels

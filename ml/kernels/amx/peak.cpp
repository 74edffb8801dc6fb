// The most that tiles can multiply: as many independent sums as a product has.
#include "ml/kernels/amx/kernels.hpp"
#include "ml/kernels/amx/tiles.hpp"

namespace notso::ml::kernels::amx {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept {
    constexpr int kTokens = 16;
    constexpr int kColumns = 32;
    constexpr int kRows = 16;
    AmxTiles::begin({.n_tokens = kTokens, .n_columns = kColumns});
    for (std::int64_t step = 0; step < n_steps; ++step) {
        AmxTiles::multiply<0, 6, 4>();
        AmxTiles::multiply<1, 6, 5>();
        AmxTiles::multiply<2, 7, 4>();
        AmxTiles::multiply<3, 7, 5>();
    }
    AmxTiles::end();
    return n_steps * (4 * kTokens * kColumns * kRows);
}

}  // namespace notso::ml::kernels::amx

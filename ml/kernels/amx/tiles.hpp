// The tile registers of AMX, as the product of this folder uses them: 0…3 hold sums, 4 and 5
// weights, 6 and 7 tokens. In assembly: the compiler's own names for them are macros that want
// digits. Only for files compiled with the flags of this folder.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::kernels {

/// What a product sets tiles to: tokens times sixteen rows of weights.
struct TileShape {
    int n_tokens;   ///< Rows of sums and of tokens, ≤ 16.
    int n_columns;  ///< Of one step, 16 or 32: two stand in each line of weights.
};

struct AmxTiles {
    /// Sets all registers, of the thread that calls. @cost some hundred cycles
    static void begin(const TileShape& shape) noexcept {
        struct alignas(64) Configuration {
            std::uint8_t palette = 1;
            std::uint8_t start_row = 0;
            std::uint8_t reserved[14] = {};
            std::uint16_t row_bytes[16] = {};
            std::uint8_t rows[16] = {};
        } tiles;
        const auto set = [&tiles](int first, int rows, int row_bytes) {
            for (int i = first; i < first + 2; ++i) {
                tiles.rows[i] = static_cast<std::uint8_t>(rows);
                tiles.row_bytes[i] = static_cast<std::uint16_t>(row_bytes);
            }
        };
        set(0, shape.n_tokens, 64);
        set(2, shape.n_tokens, 64);
        set(4, shape.n_columns / 2, 64);
        set(6, shape.n_tokens, 2 * shape.n_columns);
        __asm__ volatile("ldtilecfg %0" : : "m"(tiles));
    }
    /// Leaves the registers empty: the system has nothing to save then.
    static void end() noexcept { __asm__ volatile("tilerelease"); }

    template <int kTile>
    static void clear() noexcept {
        __asm__ volatile("tilezero %%tmm%c0" : : "i"(kTile));
    }
    template <int kTile>
    static void load(const void* rows, std::ptrdiff_t stride) noexcept {
        __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2"
                         :
                         : "r"(rows), "r"(stride), "i"(kTile)
                         : "memory");
    }
    template <int kTile>
    static void store(void* rows, std::ptrdiff_t stride) noexcept {
        __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)"
                         :
                         : "r"(rows), "r"(stride), "i"(kTile)
                         : "memory");
    }
    /// sums += tokens · weights, pairs of bf16; f32.
    template <int kSums, int kTokens, int kWeights>
    static void multiply() noexcept {
        __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0"
                         :
                         : "i"(kSums), "i"(kTokens), "i"(kWeights));
    }
};

}  // namespace notso::ml::kernels

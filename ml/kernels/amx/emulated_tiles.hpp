// AmxTiles in plain code, for tests on CPUs without AMX: the pseudocode of Intel's manual for
// TDPBF16PS (Instruction Set Reference, volume 2), even and odd columns in sums of their own.
#pragma once

#include "ml/kernels/amx/tiles.hpp"

namespace notso::ml::kernels {

struct EmulatedTiles {
    static void begin(const TileShape& shape) noexcept {
        registers() = {.shape = shape, .tiles = {}};
    }
    static void end() noexcept { registers() = {}; }

    template <int kTile>
    static void clear() noexcept {
        registers().tiles[kTile] = {};
    }
    template <int kTile>
    static void load(const void* rows, std::ptrdiff_t stride) noexcept {
        for (int row = 0; row < n_rows(kTile); ++row) {
            const auto* from = static_cast<const std::byte*>(rows) + row * stride;
            __builtin_memcpy(registers().tiles[kTile].rows[row], from, row_bytes(kTile));
        }
    }
    template <int kTile>
    static void store(void* rows, std::ptrdiff_t stride) noexcept {
        for (int row = 0; row < n_rows(kTile); ++row) {
            auto* to = static_cast<std::byte*>(rows) + row * stride;
            __builtin_memcpy(to, registers().tiles[kTile].rows[row], row_bytes(kTile));
        }
    }
    template <int kSums, int kTokens, int kWeights>
    static void multiply() noexcept {
        for (int t = 0; t < registers().shape.n_tokens; ++t)
            for (int n = 0; n < 16; ++n) multiply_one<kTokens, kWeights>(t, n, kSums);
    }

  private:
    struct Tile {
        std::byte rows[16][64];
    };
    struct Registers {
        TileShape shape;
        Tile tiles[8];
    };
    static Registers& registers() noexcept {
        static thread_local Registers all{};
        return all;
    }
    static int n_rows(int tile) noexcept {
        const TileShape& shape = registers().shape;
        return tile == 4 || tile == 5 ? shape.n_columns / 2 : shape.n_tokens;
    }
    static std::size_t row_bytes(int tile) noexcept {
        return tile < 6 ? 64 : 2 * static_cast<std::size_t>(registers().shape.n_columns);
    }
    static float bf16(const std::byte* row, int index) noexcept {
        std::uint16_t half = 0;
        __builtin_memcpy(&half, row + 2 * index, sizeof(half));
        const std::uint32_t bits = std::uint32_t{half} << 16;
        float value = 0;
        __builtin_memcpy(&value, &bits, sizeof(value));
        return value;
    }
    template <int kTokens, int kWeights>
    static void multiply_one(int t, int n, int sums) noexcept {
        auto& tiles = registers().tiles;
        float even = 0;
        float odd = 0;
        for (int pair = 0; pair < registers().shape.n_columns / 2; ++pair) {
            const std::byte* tokens = tiles[kTokens].rows[t];
            const std::byte* weights = tiles[kWeights].rows[pair];
            even = __builtin_fmaf(bf16(tokens, 2 * pair), bf16(weights, 2 * n), even);
            odd = __builtin_fmaf(bf16(tokens, 2 * pair + 1), bf16(weights, 2 * n + 1), odd);
        }
        float sum = 0;
        std::byte* place = tiles[sums].rows[t] + 4 * n;
        __builtin_memcpy(&sum, place, sizeof(sum));
        sum += even + odd;
        __builtin_memcpy(place, &sum, sizeof(sum));
    }
};

}  // namespace notso::ml::kernels

// Packed block types (ml/quant/pack.hpp) as the product reads them: sixteen rows at once. Only for
// files compiled for one instruction set.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace notso::ml::kernels {

// Each type P has kElements weights of sixteen rows in kBytes bytes, a tile; kGroup columns share a
// scale, and where kHasMins is set, w = scale · q - min.
//   scales(tile, out), mins(tile, out)   [kElements / kGroup, 16] f32
//   line<phase>(tile, group, step)       of group · kPhases + phase, a run of 32 columns, step
//   0…15: sixteen rows times
//                                        two 16-bit q, columns 4 (step / 2) + {0, 2} for even and
//                                        {1, 3} for odd steps
// Phases tell runs of columns apart that share bytes, so that shifts are constants.

inline constexpr std::size_t kLineBytes = 64;
inline constexpr std::size_t kLanes = 16;

/// The bits [shift, shift + n) of the first or second byte of every pair of bytes, as 16-bit
/// numbers.
template <class S>
[[gnu::always_inline]] inline typename S::Ints pick_bits(const std::byte* line,
                                                         int step,
                                                         int shift,
                                                         int n) {
    const auto bytes = S::load_line(line);
    const auto shifted = S::shift_right16(bytes, shift + step % 2 * 8);
    return S::and16(shifted, (1 << n) - 1);
}

/// What the types of 32 weights share: one scale, which stands first in the block.
template <class S, std::size_t kBlockBytes>
struct PackedOneScale {
    static constexpr int kElements = 32;
    static constexpr std::size_t kBytes = kBlockBytes * kLanes;
    static constexpr int kGroup = 32;
    static constexpr int kPhases = 1;
    static void scales(const std::byte* tile, float* out) { S::store(out, S::load_f16(tile)); }
};

template <class S>
struct PackedQ8_0 : PackedOneScale<S, 34> {
    static constexpr bool kHasMins = false;
    template <int>
    [[gnu::always_inline]] static typename S::Ints line(const std::byte* tile, int, int step) {
        const auto bytes = S::load_line(tile + 32 + step / 2 * kLineBytes);
        const auto upper = step % 2 == 0 ? S::shift_left16(bytes, 8) : bytes;
        return S::shift_right16_signed(upper, 8);
    }
};

template <class S>
struct PackedQ4_0 : PackedOneScale<S, 18> {
    static constexpr bool kHasMins = false;
    template <int>
    [[gnu::always_inline]] static typename S::Ints line(const std::byte* tile, int, int step) {
        const std::byte* line = tile + 32 + step % 8 / 2 * kLineBytes;
        return S::sub16(pick_bits<S>(line, step, step / 8 * 4, 4), 8);
    }
};

template <class S>
struct PackedQ4_1 : PackedOneScale<S, 20> {
    static constexpr bool kHasMins = true;
    static void mins(const std::byte* tile, float* out) {
        S::store(out, S::sub(S::zero(), S::load_f16(tile + 32)));
    }
    template <int>
    [[gnu::always_inline]] static typename S::Ints line(const std::byte* tile, int, int step) {
        const std::byte* line = tile + 64 + step % 8 / 2 * kLineBytes;
        return pick_bits<S>(line, step, step / 8 * 4, 4);
    }
};

/// What Q4_K and Q5_K share: eight scales and mins of 6 bits. ml/quant/k_scales.hpp has the plain
/// form.
template <class S>
struct PackedScales6 {
    static constexpr int kElements = 256;
    static constexpr int kGroup = 32;
    static constexpr bool kHasMins = true;
    static constexpr int kPhases = 2;
    static constexpr std::size_t kScaleBytes = 64;  ///< d and dmin stand before them.

    static void scales(const std::byte* tile, float* out) { unpack(tile, 0, 0, 0, out); }
    static void mins(const std::byte* tile, float* out) { unpack(tile, 32, 4, 4, out); }

  private:
    static __m128i row_bytes(const std::byte* tile, int index) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(
            tile + kScaleBytes + static_cast<std::size_t>(index) * kLanes));
    }
    /// @param first  The first of the four bytes with the first four numbers. @param shift  Of the
    /// nibbles.
    static void unpack(
        const std::byte* tile, std::size_t d_offset, int first, int shift, float* out) {
        const auto d = S::load_f16(tile + d_offset);
        const __m128i nibble = _mm_set1_epi8(0x0F);
        for (int i = 0; i < 4; ++i) {
            const __m128i low = row_bytes(tile, first + i);
            const __m128i shared = row_bytes(tile, 8 + i);
            const __m128i top = _mm_and_si128(_mm_srli_epi16(low, 2), _mm_set1_epi8(0x30));
            const __m128i rest = _mm_and_si128(_mm_srli_epi16(shared, shift), nibble);
            put(out + i * 16, d, _mm_and_si128(low, _mm_set1_epi8(0x3F)));
            put(out + (i + 4) * 16, d, _mm_or_si128(rest, top));
        }
    }
    static void put(float* out, typename S::Vec d, __m128i numbers) {
        S::store(out, S::mul(d, S::from_i8(numbers)));
    }
};

template <class S>
struct PackedQ4_K : PackedScales6<S> {
    static constexpr std::size_t kBytes = 144 * kLanes;
    template <int kPhase>
    [[gnu::always_inline]] static typename S::Ints line(const std::byte* tile,
                                                        int group,
                                                        int step) {
        const std::byte* nibbles = tile + 16 * kLanes;
        return pick_bits<S>(nibbles + static_cast<std::size_t>(group * 8 + step / 2) * kLineBytes,
                            step,
                            kPhase * 4,
                            4);
    }
};

template <class S>
struct PackedQ5_K : PackedScales6<S> {
    static constexpr std::size_t kBytes = 176 * kLanes;
    template <int kPhase>
    [[gnu::always_inline]] static typename S::Ints line(const std::byte* tile,
                                                        int group,
                                                        int step) {
        const std::byte* fifths =
            tile + 16 * kLanes + static_cast<std::size_t>(step / 2) * kLineBytes;
        const std::byte* nibbles =
            tile + 48 * kLanes + static_cast<std::size_t>(group * 8 + step / 2) * kLineBytes;
        const auto fifth = pick_bits<S>(fifths, step, group * 2 + kPhase, 1);
        return S::or16(pick_bits<S>(nibbles, step, kPhase * 4, 4), S::shift_left16(fifth, 4));
    }
};

template <class S>
struct PackedQ6_K {
    static constexpr int kElements = 256;
    static constexpr std::size_t kBytes = 210 * kLanes;
    static constexpr int kGroup = 16;
    static constexpr bool kHasMins = false;
    static constexpr int kPhases = 4;
    static void scales(const std::byte* tile, float* out) {
        const auto d = S::load_f16(tile + 208 * kLanes);
        for (std::size_t i = 0; i < 16; ++i) {
            const auto* numbers = reinterpret_cast<const __m128i*>(tile + (192 + i) * kLanes);
            S::store(out + i * 16, S::mul(d, S::from_i8(_mm_loadu_si128(numbers))));
        }
    }
    /// Half `group` of the block keeps four runs of 32: two share low bytes, all share the upper
    /// bits.
    template <int kPhase>
    [[gnu::always_inline]] static typename S::Ints line(const std::byte* tile,
                                                        int group,
                                                        int step) {
        const auto low = static_cast<std::size_t>(group * 16 + kPhase % 2 * 8 + step / 2);
        const auto high = static_cast<std::size_t>(32 + group * 8 + step / 2);
        const auto nibble = pick_bits<S>(tile + low * kLineBytes, step, kPhase / 2 * 4, 4);
        const auto upper = pick_bits<S>(tile + high * kLineBytes, step, kPhase * 2, 2);
        return S::sub16(S::or16(nibble, S::shift_left16(upper, 4)), 32);
    }
};

}  // namespace notso::ml::kernels

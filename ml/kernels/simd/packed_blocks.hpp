// Packed block types (ml/quant/pack.hpp) as the product reads them: sixteen rows at once. Only for
// files compiled for one instruction set.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace notso::ml::kernels {

// Each type P has kElements weights of sixteen rows in kBytes bytes, a tile; kGroup columns share a
// scale, and where kHasMins is set, w = scale · q - min; q + kOffset is in [0, kGreatest].
//   scales(tile, out), mins(tile, out)   [kElements / kGroup, 16] f32
//   bytes<phase>(tile, group, step)   of group · kPhases + phase, a run of 32 columns, step 0…7:
//   sixteen rows times the q + kOffset of four columns, bytes
// Phases tell runs of columns apart that share bytes, so that shifts are constants.
// Through the L2 cache weights are asked for kAheadBytes ahead and again half as far: CPUs let
// requests fall. Then into the L1 cache, kNearBytes ahead, unless that is 0: CPUs do it by
// themselves where lines are read as they stand.
//
// Where kHalves is set:
//   halves<phase>(tile, group, step, lines)   the even columns of bytes(), and the odd ones, as
//   numbers of 16 bits, shifted left by kEvenShift and kOddShift: sums of a group's products with
//   16-bit numbers fit 32 bits nevertheless
// Where kFastSums is kBlocks, a block of kTokenBlock columns is one number times integers:
//   block_scales(tile, out)   [16] f32
//   whole_scales(tile, out, left_mins)   [kElements / kGroup / 2, 16, 2] int16_t: of two
//   neighbouring groups the second first; the same of bf16: minus what is left of the mins when
//   kWholeOffset has been taken from every q

/// What fast products add up before they scale it.
enum class FastSums {
    kGroups,  ///< Every group.
    kPairs,   ///< Two groups that share a token's scale, each times its own.
    kBlocks,  ///< All groups of a token's block; then come the mins.
};

inline constexpr std::size_t kLineBytes = 64;
inline constexpr int kLanes = 16;

/// The n bits of every byte of a line from bit `from` on, moved to bit `to`.
template <class S>
[[gnu::always_inline]] inline typename S::Ints pick_bits(
    const std::byte* lines, std::size_t index, int n, int from, int to = 0) {
    const auto line = S::load_line(lines + index * kLineBytes);
    const auto moved =
        from >= to ? S::shift_right16(line, from - to) : S::shift_left16(line, to - from);
    return S::and8(moved, ((1 << n) - 1) << to);
}

/// What the types of 32 weights share: one scale, which stands first in the block.
template <class S, std::size_t kBlockBytes>
struct PackedOneScale {
    static constexpr int kElements = 32;
    static constexpr std::size_t kBytes = kBlockBytes * kLanes;
    static constexpr int kGroup = 32;
    static constexpr int kPhases = 1;
    static constexpr std::size_t kAheadBytes = 10240;
    static constexpr std::size_t kNearBytes = 0;
    static constexpr FastSums kFastSums = FastSums::kGroups;
    static constexpr bool kHalves = false;
    static void scales(const std::byte* tile, float* out) { S::store(out, S::load_f16(tile)); }
};

template <class S>
struct PackedQ8_0 : PackedOneScale<S, 34> {
    static constexpr bool kHasMins = false;
    static constexpr int kOffset = 128;
    static constexpr int kGreatest = 255;
    template <int>
    [[gnu::always_inline]] static typename S::Ints bytes(const std::byte* tile, int, int step) {
        const auto line = S::load_line(tile + 32 + static_cast<std::size_t>(step) * kLineBytes);
        return S::sub8(line, kOffset);  // modulo 256
    }
};

template <class S>
struct PackedQ4_0 : PackedOneScale<S, 18> {
    static constexpr bool kHasMins = false;
    static constexpr int kOffset = 8;
    static constexpr int kGreatest = 15;
    template <int>
    [[gnu::always_inline]] static typename S::Ints bytes(const std::byte* tile, int, int step) {
        return pick_bits<S>(tile + 32, static_cast<std::size_t>(step % 4), 4, step / 4 * 4);
    }
};

template <class S>
struct PackedQ4_1 : PackedOneScale<S, 20> {
    static constexpr bool kHasMins = true;
    static constexpr int kOffset = 0;
    static constexpr int kGreatest = 15;
    static void mins(const std::byte* tile, float* out) {
        S::store(out, S::sub(S::zero(), S::load_f16(tile + 32)));
    }
    template <int>
    [[gnu::always_inline]] static typename S::Ints bytes(const std::byte* tile, int, int step) {
        return pick_bits<S>(tile + 64, static_cast<std::size_t>(step % 4), 4, step / 4 * 4);
    }
};

/// What Q4_K and Q5_K share: eight scales and mins of 6 bits. ml/quant/k_scales.hpp has the plain
/// form.
template <class S>
struct PackedScales6 {
    static constexpr int kElements = 256;
    static constexpr int kGroup = 32;
    static constexpr bool kHasMins = true;
    static constexpr int kOffset = 0;
    static constexpr int kPhases = 2;
    static constexpr std::size_t kAheadBytes = 10240;
    static constexpr std::size_t kNearBytes = 0;
    static constexpr std::size_t kScaleBytes = 64;  ///< d and dmin stand before them.

    static void scales(const std::byte* tile, float* out) {
        scale_numbers(Numbers(tile, 0, 0), S::load_f16(tile), out);
    }
    static void mins(const std::byte* tile, float* out) {
        scale_numbers(Numbers(tile, 4, 4), S::load_f16(tile + 32), out);
    }

  protected:
    /// Eight numbers of sixteen rows.
    struct Numbers {
        alignas(32) std::byte bytes[8 * kLanes];

        /// @param first  The first of the four bytes with the first four numbers. @param shift  Of
        /// the nibbles of the others.
        Numbers(const std::byte* tile, int first, int shift) {
            for (int i = 0; i < 4 * kLanes; i += 32) {
                const __m256i low = load(tile + kScaleBytes + first * kLanes + i);
                const __m256i shared = load(tile + kScaleBytes + 8 * kLanes + i);
                const __m256i top =
                    _mm256_and_si256(_mm256_srli_epi16(low, 2), _mm256_set1_epi8(0x30));
                const __m256i rest =
                    _mm256_and_si256(_mm256_srli_epi16(shared, shift), _mm256_set1_epi8(0x0F));
                put(bytes + i, _mm256_and_si256(low, _mm256_set1_epi8(0x3F)));
                put(bytes + 4 * kLanes + i, _mm256_or_si256(rest, top));
            }
        }
        __m128i of(int group) const {
            return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes + group * kLanes));
        }

      private:
        static __m256i load(const std::byte* p) {
            return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        }
        static void put(std::byte* p, __m256i v) {
            _mm256_store_si256(reinterpret_cast<__m256i*>(p), v);
        }
    };

  private:
    static void scale_numbers(const Numbers& numbers, typename S::Vec factor, float* out) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; ++i)
            S::store(out + i * kLanes, S::mul(factor, S::from_i8(numbers.of(i))));
    }
};

template <class S>
struct PackedQ4_K : PackedScales6<S> {
    static constexpr std::size_t kBytes = 144 * kLanes;
    static constexpr int kGreatest = 15;
    static constexpr FastSums kFastSums = FastSums::kBlocks;
    static constexpr int kWholeOffset = 8;  ///< What whole products take from q.
    static constexpr bool kHalves = true;
    static constexpr int kEvenShift[PackedQ4_K::kPhases] = {0, 4};
    static constexpr int kOddShift[PackedQ4_K::kPhases] = {8, 0};
    static_assert(std::int64_t{15} * 256 * 32767 * PackedQ4_K::kGroup / 2 < std::int64_t{1} << 31);

    static void block_scales(const std::byte* tile, float* out) {
        S::store(out, S::load_f16(tile));
    }
    static void whole_scales(const std::byte* tile, std::int16_t* out, std::uint16_t* left_mins) {
        const typename PackedQ4_K::Numbers scales(tile, 0, 0);
        const typename PackedQ4_K::Numbers mins(tile, 4, 4);
#pragma GCC unroll 4
        for (int i = 0; i < 8; i += 2)
            S::store_pairs(out + i * kLanes, scales.of(i + 1), scales.of(i));
        const auto d = S::mul(S::plain_nan(S::load_f16(tile)), S::set1(kWholeOffset));
        const auto dmin = S::plain_nan(S::load_f16(tile + 32));
        const auto left = [&](int i) {
            return S::sub(S::mul(d, S::from_i8(scales.of(i))),
                          S::mul(dmin, S::from_i8(mins.of(i))));
        };
#pragma GCC unroll 4
        for (int i = 0; i < 8; i += 2) S::store_bf16(left_mins + i * kLanes, left(i + 1), left(i));
    }
    template <int kPhase>
    [[gnu::always_inline]] static void halves(const std::byte* tile,
                                              std::size_t group,
                                              std::size_t step,
                                              typename S::Ints* lines) {
        const auto line =
            S::load_line(tile + 16 * kLanes + group * (8 * kLineBytes) + step * kLineBytes);
        lines[0] = S::and16(line, kPhase == 0 ? 0x000F : 0x00F0);
        lines[1] = kPhase == 0 ? S::and16(line, 0x0F00) : S::shift_right16(line, 12);
    }
    template <int kPhase>
    [[gnu::always_inline]] static typename S::Ints bytes(const std::byte* tile,
                                                         std::size_t group,
                                                         std::size_t step) {
        return pick_bits<S>(tile + 16 * kLanes + group * (8 * kLineBytes), step, 4, kPhase * 4);
    }
};

template <class S>
struct PackedQ5_K : PackedScales6<S> {
    static constexpr std::size_t kBytes = 176 * kLanes;
    static constexpr int kGreatest = 31;
    static constexpr FastSums kFastSums = FastSums::kGroups;
    static constexpr bool kHalves = false;
    template <int kPhase>
    [[gnu::always_inline]] static typename S::Ints bytes(const std::byte* tile,
                                                         std::size_t group,
                                                         std::size_t step) {
        const auto fifth =
            pick_bits<S>(tile + 16 * kLanes, step, 1, static_cast<int>(group) * 2 + kPhase, 4);
        const auto nibble =
            pick_bits<S>(tile + 48 * kLanes + group * (8 * kLineBytes), step, 4, kPhase * 4);
        return S::or_(nibble, fifth);
    }
};

template <class S>
struct PackedQ6_K {
    static constexpr int kElements = 256;
    static constexpr std::size_t kBytes = 210 * kLanes;
    static constexpr int kGroup = 16;
    static constexpr bool kHasMins = false;
    static constexpr int kOffset = 32;
    static constexpr int kGreatest = 63;
    static constexpr int kPhases = 4;
    static constexpr std::size_t kAheadBytes = 14336;
    static constexpr std::size_t kNearBytes = 1536;
    static constexpr FastSums kFastSums = FastSums::kPairs;
    static constexpr bool kHalves = false;
    static void scales(const std::byte* tile, float* out) {
        const auto d = S::load_f16(tile + 208 * kLanes);
        for (int i = 0; i < 16; ++i) {
            const auto* numbers = reinterpret_cast<const __m128i*>(tile + (192 + i) * kLanes);
            S::store(out + i * kLanes, S::mul(d, S::from_i8(_mm_loadu_si128(numbers))));
        }
    }
    /// Half `group` of the block keeps four runs of 32: two share low bytes, all share the upper
    /// bits.
    template <int kPhase>
    [[gnu::always_inline]] static typename S::Ints bytes(const std::byte* tile,
                                                         std::size_t group,
                                                         std::size_t step) {
        const auto nibble = pick_bits<S>(
            tile + group * (16 * kLineBytes), kPhase % 2 * 8 + step, 4, kPhase / 2 * 4);
        const auto upper =
            pick_bits<S>(tile + group * (8 * kLineBytes), 32 + step, 2, kPhase * 2, 4);
        return S::or_(nibble, upper);
    }
};

}  // namespace notso::ml::kernels

#include "ml/kernels/generic/packed.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/table.hpp"
#include "ml/quant/bf16.hpp"
#include "ml/quant/half.hpp"
#include "ml/quant/k_scales.hpp"
#include "ml/quant/pack.hpp"
#include "ml/quant/q4_0.hpp"
#include "ml/quant/q4_1.hpp"
#include "ml/quant/q4_k.hpp"
#include "ml/quant/q5_k.hpp"
#include "ml/quant/q6_k.hpp"
#include "ml/quant/q8_0.hpp"

namespace notso::ml::kernels::generic {
namespace {

/// A block as the product takes it: w = scale · q - min, group of columns by group.
struct Integers {
    std::int16_t q[256];
    float scales[16];
    float mins[16];
    float block_scale = 0;  ///< Where scales are whole numbers times it.
    std::int32_t whole_scales[16] = {};
};

// Each overload fills the columns that its block has; `kGroup` columns share a scale.
template <class Block>
constexpr std::int32_t kGroup = 32;
template <>
constexpr std::int32_t kGroup<quant::BlockQ6_K> = 16;
constexpr int kWholeOffset = 8;  ///< What whole products take from q.
template <class Block>
constexpr bool kHasMins =
    requires(Block block) { block.dmin; } || requires(Block block) { block.m; };

std::int16_t nibble(const std::uint8_t* bytes, std::size_t i, std::size_t half) {
    return static_cast<std::int16_t>(i < half ? bytes[i] & 0x0F : bytes[i - half] >> 4);
}

void take_apart(const quant::BlockQ8_0& block, Integers& out) {
    std::copy(std::begin(block.values), std::end(block.values), out.q);
    out.scales[0] = quant::f16_to_f32(block.d);
}

void take_apart(const quant::BlockQ4_0& block, Integers& out) {
    for (std::size_t i = 0; i < 32; ++i)
        out.q[i] = static_cast<std::int16_t>(nibble(block.nibbles, i, 16) - 8);
    out.scales[0] = quant::f16_to_f32(block.d);
}

void take_apart(const quant::BlockQ4_1& block, Integers& out) {
    for (std::size_t i = 0; i < 32; ++i) out.q[i] = nibble(block.nibbles, i, 16);
    out.scales[0] = quant::f16_to_f32(block.d);
    out.mins[0] = 0.0f - quant::f16_to_f32(block.m);
}

void take_scales(std::uint16_t d,
                 std::uint16_t dmin,
                 const std::uint8_t (&packed)[12],
                 Integers& out) {
    const quant::ScalesAndMins numbers = quant::unpack_scales_and_mins(packed);
    for (std::size_t i = 0; i < 8; ++i) {
        out.scales[i] = quant::f16_to_f32(d) * static_cast<float>(numbers.scales[i]);
        out.mins[i] = quant::f16_to_f32(dmin) * static_cast<float>(numbers.mins[i]);
        out.whole_scales[i] = numbers.scales[i];
    }
    out.block_scale = quant::f16_to_f32(d);
}

void take_apart(const quant::BlockQ4_K& block, Integers& out) {
    for (std::size_t i = 0; i < 256; ++i)
        out.q[i] = nibble(block.nibbles + i / 64 * 32, i % 64, 32);
    take_scales(block.d, block.dmin, block.packed, out);
}

void take_apart(const quant::BlockQ5_K& block, Integers& out) {
    for (std::size_t i = 0; i < 256; ++i) {
        const int fifth = block.fifths[i % 32] >> (i / 32) & 1;
        out.q[i] =
            static_cast<std::int16_t>(nibble(block.nibbles + i / 64 * 32, i % 64, 32) | fifth << 4);
    }
    take_scales(block.d, block.dmin, block.packed, out);
}

void take_apart(const quant::BlockQ6_K& block, Integers& out) {
    for (std::size_t i = 0; i < 256; ++i) {
        const std::size_t half = i / 128;
        const int low = nibble(block.low + half * 64, i % 128, 64);
        const int high = block.high[half * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
        out.q[i] = static_cast<std::int16_t>((low | high << 4) - 32);
    }
    for (std::size_t i = 0; i < 16; ++i)
        out.scales[i] = quant::f16_to_f32(block.d) * static_cast<float>(block.scales[i]);
}

/// Where QuantizedTokens keeps the numbers of four columns of a token, and what they are.
template <Precision>
struct Numbers {
    using Type = std::int16_t;
    static std::size_t place(std::size_t col) {
        constexpr std::array<std::size_t, 4> kPlaces = {0, 2, 1, 3};
        return kPlaces.at(col);
    }
};
template <>
struct Numbers<Precision::kFast> {
    using Type = std::int8_t;
    static std::size_t place(std::size_t col) { return col; }
};

/// A token of a batch, and where it stands.
struct Token {
    const QuantizedTokens& x;
    TokenTile tile;
    std::int32_t n_tokens;
    std::size_t in_tile;

    Token(const PackedMatmulArgs& args, std::int32_t index)
        : x(args.x),
          tile(tile_of_token(index, args.n_tokens, args.x.tiles)),
          n_tokens(args.n_tokens),
          in_tile(static_cast<std::size_t>(index - tile.first)) {}
    TokenSizes before(std::size_t col) const {
        return token_offset(tile, n_tokens, static_cast<std::int32_t>(col));
    }
    template <Precision kPrecision>
    int number(std::size_t col) const {
        using Format = Numbers<kPrecision>;
        const auto* q = static_cast<const typename Format::Type*>(x.q);
        return q[before(col / 4 * 4).q + in_tile * 4 + Format::place(col % 4)];
    }
    std::size_t group(std::size_t col) const {
        return before(col / kTokenGroup * kTokenGroup).groups + in_tile;
    }
    float scale(std::size_t col) const { return x.scales[group(col)]; }
    float sum(std::size_t col) const { return x.sums[group(col)]; }
    std::size_t in_pair(std::size_t col) const {
        return before(col).shares + in_tile * 2 + 1 - col / kTokenGroup % 2;
    }
    int share(std::size_t col) const { return x.shares[in_pair(col)]; }
    float rounded_sum(std::size_t col) const {
        return quant::bf16_to_f32(x.rounded_sums[in_pair(col)]);
    }
    float block_scale(std::size_t col) const {
        return x.block_scales[before(col).blocks + in_tile];
    }
};

template <Precision kPrecision, class Block>
float add_block(const Integers& block, const Token& token, std::size_t col, float sum) {
    for (std::size_t at = 0; at < Block::kElements; at += kGroup<Block>) {
        std::int32_t integers = 0;
        for (std::size_t i = at; i < at + kGroup<Block>; ++i)
            integers += block.q[i] * token.number<kPrecision>(col + i);
        const float scale = block.scales[at / kGroup<Block>] * token.scale(col + at);
        sum = std::fma(static_cast<float>(integers), scale, sum);
        if constexpr (kHasMins<Block>)
            sum = std::fma(-block.mins[at / kGroup<Block>], token.sum(col + at), sum);
    }
    return sum;
}

/// FastSums::kPairs
float add_pairs(const Integers& block, const Token& token, std::size_t col, float sum) {
    constexpr std::size_t kHalf = kTokenGroup / 2;
    for (std::size_t at = 0; at < quant::BlockQ6_K::kElements; at += kTokenGroup) {
        std::int32_t halves[2] = {};
        for (std::size_t i = at; i < at + kTokenGroup; ++i)
            halves[(i - at) / kHalf] += block.q[i] * token.number<Precision::kFast>(col + i);
        const float* scales = block.scales + at / kHalf;
        const float scaled = static_cast<float>(halves[0]) * scales[0];
        sum = std::fma(
            std::fma(static_cast<float>(halves[1]), scales[1], scaled), token.scale(col + at), sum);
    }
    return sum;
}

/// FastSums::kBlocks
float add_whole_block(const Integers& block, const Token& token, std::size_t col, float sum) {
    using Block = quant::BlockQ4_K;
    std::int32_t integers = 0;
    for (std::size_t at = 0; at < Block::kElements; at += kTokenGroup) {
        std::int32_t group = 0;
        for (std::size_t i = at; i < at + kTokenGroup; ++i)
            group += (block.q[i] - kWholeOffset) * token.number<Precision::kFast>(col + i);
        integers += group * block.whole_scales[at / kTokenGroup] * token.share(col + at);
    }
    sum = std::fma(static_cast<float>(integers), block.block_scale * token.block_scale(col), sum);
    for (std::size_t at = 0; at < Block::kElements; at += kTokenGroup) {
        const std::size_t group = at / kTokenGroup;
        const float left =
            block.block_scale * kWholeOffset * static_cast<float>(block.whole_scales[group]) -
            block.mins[group];
        const float rounded = std::isnan(left) ? left : quant::bf16_to_f32(nearest_bf16(left));
        sum = std::fma(rounded, token.rounded_sum(col + at), sum);
    }
    return sum;
}

template <Precision kPrecision, gguf::TensorType kType, class Block>
void multiply_row(const PackedMatmulArgs& args,
                  const std::byte* panel,
                  std::size_t lane,
                  std::size_t row) {
    const quant::PackFields fields = *quant::find_pack_fields(kType);
    std::array<float, kMatmulTokens> sums = {};
    for (std::size_t col = 0; col < static_cast<std::size_t>(args.n_cols);
         col += Block::kElements) {
        Block block;
        quant::unpack_row(fields, panel, lane, sizeof(Block), reinterpret_cast<std::byte*>(&block));
        Integers integers;
        take_apart(block, integers);
        for (std::size_t t = 0; t < static_cast<std::size_t>(args.n_tokens); ++t) {
            const Token token(args, static_cast<std::int32_t>(t));
            constexpr bool kFast = kPrecision == Precision::kFast;
            if constexpr (kFast && std::is_same_v<Block, quant::BlockQ4_K>) {
                sums.at(t) = add_whole_block(integers, token, col, sums.at(t));
            } else if constexpr (kFast && std::is_same_v<Block, quant::BlockQ6_K>) {
                sums.at(t) = add_pairs(integers, token, col, sums.at(t));
            } else {
                sums.at(t) = add_block<kPrecision, Block>(integers, token, col, sums.at(t));
            }
        }
        panel += sizeof(Block) * quant::kPackRows;
    }
    for (std::size_t t = 0; t < static_cast<std::size_t>(args.n_tokens); ++t) {
        float& out = args.out[t * args.out_stride + row];
        out = args.store == Store::kAdd ? out + sums.at(t) : sums.at(t);
    }
}

template <Precision kPrecision, gguf::TensorType kType, class Block>
void multiply(const PackedMatmulArgs& args) noexcept {
    for (std::size_t row = 0; row < static_cast<std::size_t>(args.n_rows); ++row) {
        const std::byte* panel = args.panels + row / quant::kPackRows * args.panel_bytes;
        multiply_row<kPrecision, kType, Block>(args, panel, row % quant::kPackRows, row);
    }
}

/// Greatest magnitude of n numbers; NaN where one is not finite.
float magnitude_of(const float* x, std::size_t n) {
    float greatest = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(x[i])) return std::numeric_limits<float>::quiet_NaN();
        greatest = std::max(greatest, std::abs(x[i]));
    }
    return greatest;
}

/// Writes one group as whole numbers x · factor. @return the sum of each half
template <Precision kPrecision>
std::array<float, 2> put_group(const float* x, float factor, std::size_t step, void* out) {
    using Format = Numbers<kPrecision>;
    auto* q = static_cast<typename Format::Type*>(out);
    std::array<float, 2> sums = {};
    for (std::size_t i = 0; i < kTokenGroup; ++i) {
        const float whole = factor > 0 ? std::nearbyint(x[i] * factor) : 0.0f;
        q[Format::place(i % 4)] = static_cast<typename Format::Type>(whole);
        if (i % 4 == 3) q += 4 * step;
        sums.at(i / kStartColumns) += whole;
    }
    return sums;
}

/// Where a token's numbers from a column on stand.
struct Group {
    TokenTile tile;
    std::size_t in_tile;
    std::size_t step;
    TokenSizes before;

    Group(const TokenPlace& place, std::int32_t col)
        : tile(tile_of_token(place.token, place.n_tokens, place.tiles)),
          in_tile(static_cast<std::size_t>(place.token - tile.first)),
          step(static_cast<std::size_t>(tile.size)),
          before(token_offset(tile, place.n_tokens, col)) {}
};

/// @param sums  Of each half's integers.
template <Precision kPrecision>
void put_sums(const Group& group,
              float scale,
              const std::array<float, 2>& sums,
              const TokenPlace& out) {
    for (std::size_t half = 0; half < sums.size(); ++half)
        out.starts[group.before.starts + half * group.step + group.in_tile] =
            kStartFactor<kPrecision> * static_cast<std::int32_t>(sums.at(half));
    out.scales[group.before.groups + group.in_tile] = scale;
    out.sums[group.before.groups + group.in_tile] = scale * (sums[0] + sums[1]);
}

void quantize_exact(const float* x, std::int32_t n, const TokenPlace& out) noexcept {
    for (std::int32_t col = out.col; col < out.col + n; col += kTokenGroup, x += kTokenGroup) {
        const Group group(out, col);
        const float greatest = magnitude_of(x, kTokenGroup);
        const bool counts = greatest >= kLeastMagnitude;
        auto* q = static_cast<std::int16_t*>(out.q) + group.before.q + 4 * group.in_tile;
        const auto sums =
            put_group<Precision::kExact>(x, counts ? kGreatestWord / greatest : 0, group.step, q);
        const float scale = counts ? greatest / kGreatestWord : std::isnan(greatest) ? greatest : 0;
        put_sums<Precision::kExact>(group, scale, sums, out);
    }
}

/// @param greatest  Magnitude of the block; 0 where it is nothing.
void quantize_group(const float* x, float greatest, std::int32_t col, const TokenPlace& out) {
    const Group group(out, col);
    const float magnitude = magnitude_of(x, kTokenGroup);
    const bool counts = greatest > 0 && magnitude > 0;
    const int share = share_of(counts ? magnitude * (kGreatestShare / greatest) : 0);
    float scale = greatest / (kGreatestShare * kGreatestShare) * static_cast<float>(share);
    auto* q = static_cast<std::int8_t*>(out.q) + group.before.q + 4 * group.in_tile;
    const auto sums = put_group<Precision::kFast>(x, counts ? 1.0f / scale : 0, group.step, q);
    if (std::isnan(magnitude))
        scale = out.block_scales[group.before.blocks + group.in_tile] = magnitude;
    put_sums<Precision::kFast>(group, scale, sums, out);
    const std::size_t second = static_cast<std::size_t>(col / kTokenGroup % 2);
    const std::size_t in_pair = group.before.shares + 2 * group.in_tile + 1 - second;
    out.shares[in_pair] = static_cast<std::int16_t>(share);
    out.rounded_sums[in_pair] = nearest_bf16(out.sums[group.before.groups + group.in_tile]);
}

void quantize_fast(const float* x, std::int32_t n, const TokenPlace& out) noexcept {
    for (std::int32_t first = 0; first < n; first += kTokenBlock) {
        const std::int32_t n_cols = std::min(kTokenBlock, n - first);
        float greatest = 0;
        for (std::int32_t col = first; col < first + n_cols; col += kTokenGroup)
            greatest = std::max(greatest, magnitude_of(x + col, kTokenGroup));
        if (greatest < kLeastMagnitude) greatest = 0;
        const Group block(out, out.col + first);
        out.block_scales[block.before.blocks + block.in_tile] =
            greatest / (kGreatestShare * kGreatestShare);
        for (std::int32_t col = first; col < first + n_cols; col += kTokenGroup)
            quantize_group(x + col, greatest, out.col + col, out);
    }
}

template <Precision kPrecision>
PackedKernels make_kernels() {
    using enum gguf::TensorType;
    PackedKernels kernels = {
        .by_type = {},
        .quantize_token = kPrecision == Precision::kExact ? quantize_exact : quantize_fast};
    const auto set = [&kernels](gguf::TensorType type, PackedMatmul matmul) {
        kernels.by_type[static_cast<std::size_t>(type)] = matmul;
    };
    set(kQ4_0, multiply<kPrecision, kQ4_0, quant::BlockQ4_0>);
    set(kQ4_1, multiply<kPrecision, kQ4_1, quant::BlockQ4_1>);
    set(kQ8_0, multiply<kPrecision, kQ8_0, quant::BlockQ8_0>);
    set(kQ4_K, multiply<kPrecision, kQ4_K, quant::BlockQ4_K>);
    set(kQ5_K, multiply<kPrecision, kQ5_K, quant::BlockQ5_K>);
    set(kQ6_K, multiply<kPrecision, kQ6_K, quant::BlockQ6_K>);
    return kernels;
}

}  // namespace

PackedKernels packed_kernels(Precision precision) noexcept {
    return precision == Precision::kExact ? make_kernels<Precision::kExact>()
                                          : make_kernels<Precision::kFast>();
}

}  // namespace notso::ml::kernels::generic

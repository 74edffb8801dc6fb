#include "ml/kernels/generic/packed.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/table.hpp"
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
};

// Each overload fills the columns that its block has; `kGroup` columns share a scale.
template <class Block>
constexpr std::int32_t kGroup = 32;
template <>
constexpr std::int32_t kGroup<quant::BlockQ6_K> = 16;
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
    }
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
    static constexpr int kOffset = 0;
    static std::size_t place(std::size_t col) {
        constexpr std::array<std::size_t, 4> kPlaces = {0, 2, 1, 3};
        return kPlaces.at(col);
    }
};
template <>
struct Numbers<Precision::kFast> {
    using Type = std::uint8_t;
    static constexpr int kOffset = kByteOffset;
    static std::size_t place(std::size_t col) { return col; }
};

/// A token of a batch, and where it stands.
struct Token {
    const QuantizedTokens& x;
    std::size_t n_cols;
    std::size_t tile_first;
    std::size_t tile_size;
    std::size_t in_tile;

    Token(const PackedMatmulArgs& args, std::int32_t index)
        : x(args.x), n_cols(static_cast<std::size_t>(args.n_cols)) {
        const TokenTile tile = tile_of_token(index, args.n_tokens, generic_table().tile_tokens);
        tile_first = static_cast<std::size_t>(tile.first);
        tile_size = static_cast<std::size_t>(tile.size);
        in_tile = static_cast<std::size_t>(index - tile.first);
    }
    template <Precision kPrecision>
    int number(std::size_t col) const {
        using Format = Numbers<kPrecision>;
        const auto* q = static_cast<const typename Format::Type*>(x.q) + tile_first * n_cols;
        return q[(col / 4 * tile_size + in_tile) * 4 + Format::place(col % 4)] - Format::kOffset;
    }
    std::size_t group(std::size_t col) const {
        return tile_first * (n_cols / kTokenGroup) + col / kTokenGroup * tile_size + in_tile;
    }
};

template <Precision kPrecision, class Block>
float add_block(const Integers& block, const Token& token, std::size_t col, float sum) {
    for (std::size_t at = 0; at < Block::kElements; at += kGroup<Block>) {
        std::int32_t integers = 0;
        for (std::size_t i = at; i < at + kGroup<Block>; ++i)
            integers += block.q[i] * token.number<kPrecision>(col + i);
        const std::size_t group = token.group(col + at);
        const float scale = block.scales[at / kGroup<Block>] * token.x.scales[group];
        sum = std::fma(static_cast<float>(integers), scale, sum);
        if constexpr (kHasMins<Block>)
            sum = std::fma(-block.mins[at / kGroup<Block>], token.x.sums[group], sum);
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
        for (std::size_t t = 0; t < static_cast<std::size_t>(args.n_tokens); ++t)
            sums.at(t) = add_block<kPrecision, Block>(
                integers, Token(args, static_cast<std::int32_t>(t)), col, sums.at(t));
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

template <Precision kPrecision>
void quantize_token(const float* x, std::int32_t n, const TokenPlace& out) noexcept {
    using Format = Numbers<kPrecision>;
    constexpr float kGreatest = kGreatestInteger[static_cast<std::size_t>(kPrecision)];
    constexpr std::size_t kColumns = kTokenGroup;
    auto* q = static_cast<typename Format::Type*>(out.q);
    for (std::int32_t group = 0; group < n / kTokenGroup; ++group, x += kColumns) {
        float greatest = 0;
        for (std::size_t i = 0; i < kColumns; ++i) greatest = std::max(greatest, std::abs(x[i]));
        const bool finite =
            std::all_of(x, x + kColumns, [](float value) { return std::isfinite(value); });
        const bool counts = finite && greatest >= kLeastMagnitude;
        const float inverse = counts ? kGreatest / greatest : 0.0f;
        float sum = 0;
        for (std::size_t i = 0; i < kColumns; ++i) {
            const float whole = counts ? std::nearbyint(x[i] * inverse) : 0.0f;
            q[Format::place(i % 4)] =
                static_cast<typename Format::Type>(static_cast<int>(whole) + Format::kOffset);
            if (i % 4 == 3) q += 4 * out.step;
            sum += whole;
        }
        const float scale = finite ? (counts ? greatest / kGreatest : 0.0f)
                                   : std::numeric_limits<float>::quiet_NaN();
        out.scales[group * out.step] = scale;
        out.sums[group * out.step] = scale * sum;
    }
}

template <Precision kPrecision>
PackedKernels make_kernels() {
    using enum gguf::TensorType;
    PackedKernels kernels = {.by_type = {}, .quantize_token = quantize_token<kPrecision>};
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

// Products of packed weights of every set of kernels that this CPU runs: against the plain twins
// bit by bit, and against the weights as the file has them.
#include "ml/kernels/packed.hpp"

#include <gtest/gtest.h>

#include "ml/kernels/amx/emulated.hpp"
#include "ml/kernels/avx512/table.hpp"
#include "ml/kernels/avxvnni/emulated.hpp"
#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/packed_harness.hpp"

namespace notso::ml::kernels {
namespace {

struct Set {
    const KernelTable* table;
    Precision precision;
    const KernelTable* twin;  ///< Plain kernels that give the same bits; or null.
    const char* suffix = "";  ///< Of the test's name.
};

std::vector<Set> sets() {
    std::vector<Set> out;
    for (const KernelTable* table : fast_tables()) {
        // Fast tokens are bf16 there.
        const bool has_tiles = std::string_view(table->name) == "amx";
        out.push_back({table, Precision::kExact, &generic_table()});
        out.push_back(
            {table, Precision::kFast, has_tiles ? &emulated_amx_table() : &generic_table()});
    }
    if (detect_cpu().avx512_bf16 && detect_cpu().avx512_vnni)
        out.push_back({&avx512_table(), Precision::kFast, &generic_table(), "WithoutBf16"});
    if (detect_cpu().avx512_vnni) {
        out.push_back({&emulated_amx_table(), Precision::kExact, &generic_table()});
        out.push_back({&emulated_amx_table(), Precision::kFast, nullptr});
        for (const Precision precision : {Precision::kExact, Precision::kFast})
            out.push_back({&emulated_avxvnni_table(), precision, &generic_table()});
    }
    return out;
}
std::vector<Set> sets_with_twins() {
    std::vector<Set> out = sets();
    std::erase_if(out, [](const Set& set) { return set.twin == nullptr; });
    return out;
}

/// Blocks of one byte, except for their scales: the f16 numbers of the block are 0x1C00 (1/256).
std::vector<std::byte> extreme_blocks(const quant::TypeTraits& type, std::size_t n, int bits) {
    const quant::PackFields& fields = *quant::find_pack_fields(type.type);
    std::vector<std::byte> blocks(n * type.bytes, static_cast<std::byte>(bits));
    for (std::size_t block = 0; block < n; ++block) {
        std::size_t at = block * type.bytes;
        for (const quant::PackFields::Run& run : fields.runs) {
            for (std::size_t i = 0; i < run.count; ++i, at += run.field_bytes) {
                if (run.field_bytes != 2) continue;
                blocks[at] = std::byte{0x00};
                blocks[at + 1] = std::byte{0x1C};
            }
        }
    }
    return blocks;
}

class PackedProducts : public testing::TestWithParam<Set> {
  protected:
    Floats run(const KernelTable& table,
               const Product& product,
               std::int32_t first,
               std::int32_t n,
               Store store = Store::kReplace) const {
        const Packed packed(product);
        const float* x = product.x.data() + static_cast<std::ptrdiff_t>(first) * product.n_cols;
        const TileLimits tiles = short_tiles_ ? table.tiles_of_short_blocks : table.tiles;
        const Tokens tokens(table, precision(), tiles, x, n, product.n_cols);
        Floats out(static_cast<std::size_t>(n * product.n_rows), store == Store::kAdd ? 1.0f : NAN);
        PackedMatmulArgs args = packed_arguments(product, packed, tokens.integers(), n, out);
        args.store = store;
        args.into_l2 = into_l2_;
        find_packed(packed_kernels(table, precision()), *product.type)(args);
        return out;
    }
    static const KernelTable& table() { return *GetParam().table; }
    static const KernelTable& twin() { return *GetParam().twin; }
    static Precision precision() { return GetParam().precision; }
    /// Whether fast tokens are bf16, not integers.
    static bool has_tiles() { return table().tiles.most == 16; }
    template <class F>
    void for_each_type(F&& f) const {
        for (const quant::TypeTraits& type : quant::runnable_types())
            if (find_packed(packed_kernels(table(), precision()), type) != nullptr) f(type);
    }
    std::mt19937 rng_{42};
    bool short_tiles_ = false;  ///< Tokens in tiles as types of 32 columns like them.
    bool into_l2_ = false;      ///< Weights come through the L2 cache.
};

class PackedTwins : public PackedProducts {};

TEST_P(PackedProducts, EveryPackedTypeHasAKernel) {
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        EXPECT_EQ(find_packed(packed_kernels(table(), precision()), type) != nullptr,
                  quant::find_pack_fields(type.type) != nullptr)
            << type.name;
    }
}

TEST_P(PackedTwins, EqualBitByBit) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 45, 768, 33, rng_);
        for (const std::int32_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 16, 17, 24, 25, 32, 33}) {
            EXPECT_TRUE(bit_equal(run(table(), product, 0, n), run(twin(), product, 0, n)))
                << type.name << ", " << n << " tokens";
        }
    });
}

/// Types of short and of long blocks read the same tokens, in tiles as the short ones like them.
TEST_P(PackedProducts, GiveTheSameBitsInAnyTiles) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 33, 512, 17, rng_);
        for (const std::int32_t n : {1, 4, 6, 7, 8, 12, 16, 17}) {
            short_tiles_ = false;
            const Floats one = run(table(), product, 0, n);
            short_tiles_ = true;
            EXPECT_TRUE(bit_equal(run(table(), product, 0, n), one)) << type.name << " " << n;
        }
    });
}

TEST_P(PackedProducts, GiveTheSameBitsThroughAnyCache) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 45, 512, 17, rng_);
        for (std::int32_t n = 1; n <= 17; ++n) {
            into_l2_ = false;
            const Floats one = run(table(), product, 0, n);
            into_l2_ = true;
            EXPECT_TRUE(bit_equal(run(table(), product, 0, n), one)) << type.name << " " << n;
        }
    });
}

TEST_P(PackedProducts, ATokenAloneGetsTheBitsItGetsInABatch) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 31, 512, 20, rng_);
        const Floats batch = run(table(), product, 0, 20);
        for (const std::int32_t n : {1, 2, 3, 4, 5, 6, 7, 17}) {
            const Floats same(batch.begin() + 2 * 31, batch.begin() + (2 + n) * 31);
            EXPECT_TRUE(bit_equal(run(table(), product, 2, n), same)) << type.name << " " << n;
        }
    });
}

TEST_P(PackedProducts, AddToWhatIsThere) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 21, 256, 5, rng_);
        const Floats replaced = run(table(), product, 0, 5);
        const Floats added = run(table(), product, 0, 5, Store::kAdd);
        for (std::size_t i = 0; i < added.size(); ++i)
            ASSERT_EQ(added[i], 1.0f + replaced[i]) << type.name;
    });
}

/// 45 rows are a pair of panels and a part of one: more and fewer have other remainders.
TEST_P(PackedTwins, TakeAnyNumberOfRows) {
    for_each_type([&](const quant::TypeTraits& type) {
        for (const std::int32_t rows : {1, 15, 16, 17, 32, 33, 48, 49, 64}) {
            const Product product(type, rows, 256, 18, rng_);
            for (const std::int32_t n : {1, 7, 18}) {
                EXPECT_TRUE(bit_equal(run(table(), product, 0, n), run(twin(), product, 0, n)))
                    << type.name << ", " << rows << " rows, " << n << " tokens";
            }
        }
    });
}

/// More than stays in a cache at once.
TEST_P(PackedTwins, TakeManyRowsAndColumns) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 290, 4608, 17, rng_);
        EXPECT_TRUE(bit_equal(run(table(), product, 0, 17), run(twin(), product, 0, 17)))
            << type.name;
    });
}

/// The greatest weights and activations there are: no sum overflows.
TEST_P(PackedTwins, HoldTheGreatestSums) {
    for_each_type([&](const quant::TypeTraits& type) {
        for (const int bits : {0x00, 0x80, 0x7F, 0xFF}) {
            Product product(type, 16, 256, 18, rng_);
            product.weights = extreme_blocks(type, product.weights.size() / type.bytes, bits);
            for (std::size_t i = 0; i < product.x.size(); ++i)
                product.x[i] = i < 256 ? 1.0f : i < 512 ? -1.0f : i % 2 == 0 ? 1.0f : -1.0f;
            for (const std::int32_t n : {3, 18}) {
                EXPECT_TRUE(bit_equal(run(table(), product, 0, n), run(twin(), product, 0, n)))
                    << type.name << ", bytes " << bits;
            }
        }
    });
}

/// A damaged block says so, whatever its NaN looks like, and only in its own row.
TEST_P(PackedProducts, BringEveryNaNOfAWeightToItsRow) {
    for_each_type([&](const quant::TypeTraits& type) {
        for (const std::uint16_t nan : {0x7FFF, 0xFE00}) {
            std::size_t at = 0;
            for (const quant::PackFields::Run& fields : quant::find_pack_fields(type.type)->runs) {
                for (std::size_t i = 0; i < fields.count; ++i, at += fields.field_bytes) {
                    if (fields.field_bytes != 2) continue;
                    Product product(type, 20, 512, 3, rng_);
                    const std::size_t row_bytes = product.weights.size() / 20;
                    std::memcpy(product.weights.data() + 17 * row_bytes + at, &nan, sizeof(nan));
                    const Floats out = run(table(), product, 0, 3);
                    for (std::size_t o = 0; o < out.size(); ++o)
                        ASSERT_EQ(std::isnan(out[o]), o % 20 == 17) << type.name << ", byte " << at;
                }
            }
        }
    });
}

TEST_P(PackedProducts, LoseNothingButTheLastBitOfActivations) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 32, 1536, 4, rng_);
        const Floats exact = product.run(generic_table().matmul_any, 0, 4);
        const double bound = precision() == Precision::kExact ? 1e-4 : has_tiles() ? 4e-3 : 2e-2;
        EXPECT_LT(worst_error(run(table(), product, 0, 4), exact), bound) << type.name;
    });
}

/// A token of one whole number reads one weight of every row.
TEST_P(PackedProducts, ReadEveryWeightWhereItStands) {
    constexpr std::int32_t kCols = 256;
    constexpr std::int32_t kRows = 16;
    for_each_type([&](const quant::TypeTraits& type) {
        Product product(type, kRows, kCols, kCols, rng_);
        for (std::int32_t i = 0; i < kCols * kCols; ++i)
            product.x[static_cast<std::size_t>(i)] = i / kCols == i % kCols ? 1.0f : 0.0f;
        Floats weights(kRows * kCols);
        type.decode(product.weights.data(), weights.data(), weights.size());
        // A fast product can take a weight's min apart into two larger numbers, or round it to
        // bf16.
        const bool is_bf16 =
            precision() == Precision::kFast && (has_tiles() || type.name == "Q4_K");
        const float rounding = (is_bf16 ? 4e-3f : 1e-6f) * *std::ranges::max_element(weights);
        for (std::int32_t col = 0; col < kCols; ++col) {
            const Floats out = run(table(), product, col, 1);
            for (std::int32_t row = 0; row < kRows; ++row) {
                const float w = weights[static_cast<std::size_t>(row * kCols + col)];
                ASSERT_NEAR(out[static_cast<std::size_t>(row)], w, rounding + 1e-5f)
                    << type.name << ", column " << col << ", row " << row;
            }
        }
    });
}

TEST_P(PackedTwins, TokensBecomeTheSameIntegers) {
    if (has_tiles() && precision() == Precision::kFast) GTEST_SKIP() << "they are bf16";
    Floats x = random_floats(32 * 64, rng_, 3.0f);
    std::fill_n(x.begin() + 32, 32, 0.0f);    // nothing at all
    x[32 * 2] = 1e30f;                        // one that dwarfs the others
    std::fill_n(x.begin() + 96, 32, 1e-35f);  // less than a scale can say
    x[32 * 4 + 7] = NAN;
    x[32 * 5 + 9] = -INFINITY;
    const Tokens fast(table(), precision(), x.data(), 1, 32 * 64);
    const Tokens plain(generic_table(), precision(), x.data(), 1, 32 * 64);
    EXPECT_EQ(fast.q, plain.q);
    for (std::size_t group = 0; group < fast.scales.size(); ++group) {
        const bool broken = group == 4 || group == 5;
        EXPECT_EQ(std::isnan(fast.scales[group]), broken) << group;
        EXPECT_EQ(std::isnan(fast.sums[group]), broken) << group;
        if (broken) continue;
        EXPECT_EQ(fast.scales[group], plain.scales[group]) << group;
        EXPECT_EQ(fast.sums[group], plain.sums[group]) << group;
    }
    EXPECT_EQ(fast.starts, plain.starts);
    if (precision() == Precision::kExact) return;
    EXPECT_EQ(fast.shares, plain.shares);
    EXPECT_EQ(fast.rounded_sums, plain.rounded_sums);
    EXPECT_EQ(fast.block_scales.size(), 8);
    EXPECT_TRUE(std::isnan(fast.block_scales[0]) && std::isnan(plain.block_scales[0]));
    for (std::size_t block = 1; block < fast.block_scales.size(); ++block)
        EXPECT_EQ(fast.block_scales[block], plain.block_scales[block]) << block;
}

TEST(TokenTiles, CutABatchIntoTilesOfAboutTheSameSize) {
    for (const TileLimits limits :
         {TileLimits{1, 1, 1}, TileLimits{4, 4, 4}, TileLimits{16, 8, 6}}) {
        for (std::int32_t n = 1; n <= 130; ++n) {
            std::int32_t next = 0;
            for (std::int32_t i = 0; i < count_tiles(n, limits); ++i) {
                const TokenTile tile = tile_at(i, n, limits);
                ASSERT_EQ(tile.first, next);
                ASSERT_TRUE(tile.size <= (n <= limits.few ? limits.most_of_few : limits.most) &&
                            tile.size >= n / count_tiles(n, limits))
                    << n;
                for (std::int32_t t = tile.first; t < tile.first + tile.size; ++t)
                    ASSERT_EQ(tile_of_token(t, n, limits).first, tile.first) << t << " of " << n;
                next += tile.size;
            }
            ASSERT_EQ(next, n);
        }
    }
}

struct TiledShape {
    std::int32_t n_rows;
    std::int32_t n_cols;
    std::int32_t n_tokens;
};
/// Remainders of slabs of columns, of panels, and of tiles of tokens, whole ones and others.
constexpr TiledShape kTiledShapes[] = {{48, 4608, 37},
                                       {33, 2304, 17},
                                       {32, 256, 16},
                                       {32, 256, 64},
                                       {17, 256, 80},
                                       {64, 512, 97},
                                       {20, 576, 18}};

float rounded_to_bf16(float x) {
    return std::bit_cast<float>((std::bit_cast<std::uint32_t>(x) + 0x8000) & 0xFFFF0000);
}

/// Of weights rounded to bf16, multiplied exactly.
Floats product_in_bf16(const Product& product) {
    const auto n_cols = static_cast<std::size_t>(product.n_cols);
    const auto n_rows = static_cast<std::size_t>(product.n_rows);
    const std::size_t row_bytes = product.weights.size() / n_rows;
    Floats weights(n_cols);
    Floats out(product.x.size() / n_cols * n_rows);
    for (std::size_t row = 0; row < n_rows; ++row) {
        product.type->decode(product.weights.data() + row * row_bytes, weights.data(), n_cols);
        for (float& weight : weights) weight = rounded_to_bf16(weight);
        for (std::size_t t = 0; t < product.x.size() / n_cols; ++t) {
            double sum = 0;
            for (std::size_t i = 0; i < n_cols; ++i)
                sum += static_cast<double>(weights[i]) * product.x[t * n_cols + i];
            out[t * n_rows + row] = static_cast<float>(sum);
        }
    }
    return out;
}

TEST(TileProducts, RoundTokensAndWeightsToBf16AndNothingElse) {
    if (!detect_cpu().avx512_vnni) GTEST_SKIP() << "no AVX-512 with VNNI";
    std::mt19937 rng(5);
    const KernelTable& table = emulated_amx_table();
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        const PackedMatmul matmul = find_packed(packed_kernels(table, Precision::kFast), type);
        if (matmul == nullptr) continue;
        for (const auto& [n_rows, n_cols, n_tokens] : kTiledShapes) {
            if (n_cols % static_cast<std::int32_t>(type.elements) != 0) continue;
            Product product(type, n_rows, n_cols, n_tokens, rng);
            for (float& x : product.x) x = rounded_to_bf16(x);
            const Packed packed(product);
            const Tokens tokens(table, Precision::kFast, product.x.data(), n_tokens, n_cols);
            Floats out(static_cast<std::size_t>(n_tokens * n_rows), NAN);
            matmul(packed_arguments(product, packed, tokens.integers(), n_tokens, out));
            EXPECT_LT(worst_error(out, product_in_bf16(product)), 2e-5)
                << type.name << ", " << n_rows << " x " << n_cols << ", " << n_tokens;
        }
    }
}

std::string name_of(const testing::TestParamInfo<Set>& set) {
    return std::string(set.param.table->name) +
           (set.param.precision == Precision::kExact ? "Exact" : "Fast") + set.param.suffix;
}
INSTANTIATE_TEST_SUITE_P(Sets, PackedProducts, testing::ValuesIn(sets()), name_of);
INSTANTIATE_TEST_SUITE_P(Sets, PackedTwins, testing::ValuesIn(sets_with_twins()), name_of);

}  // namespace
}  // namespace notso::ml::kernels

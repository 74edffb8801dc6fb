// Products of packed weights of every set of kernels that this CPU runs: against the plain twins
// bit by bit, and against the weights as the file has them.
#include "ml/kernels/packed.hpp"

#include <gtest/gtest.h>

#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/packed_harness.hpp"

namespace notso::ml::kernels {
namespace {

class PackedProducts : public testing::TestWithParam<const KernelTable*> {
  protected:
    static Floats run(const KernelTable& table,
                      const Product& product,
                      std::int32_t first,
                      std::int32_t n,
                      Store store = Store::kReplace) {
        const Packed packed(product);
        Tokens tokens(table, product.x, product.n_cols);
        Floats out(static_cast<std::size_t>(n * product.n_rows), store == Store::kAdd ? 1.0f : NAN);
        PackedMatmulArgs args = packed_arguments(product, packed, tokens.from(first), n, out);
        args.store = store;
        find_packed(table, *product.type)(args);
        return out;
    }
    template <class F>
    void for_each_type(F&& f) const {
        for (const quant::TypeTraits& type : quant::runnable_types())
            if (find_packed(*GetParam(), type) != nullptr) f(type);
    }
    std::mt19937 rng_{42};
};

TEST_P(PackedProducts, EveryPackedTypeHasAKernel) {
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        EXPECT_EQ(find_packed(*GetParam(), type) != nullptr,
                  quant::find_pack_fields(type.type) != nullptr)
            << type.name;
    }
}

TEST_P(PackedProducts, EqualTheirPlainTwinsBitByBit) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 45, 768, 11, rng_);
        for (const std::int32_t n : {1, 2, 3, 11}) {
            EXPECT_TRUE(
                bit_equal(run(*GetParam(), product, 0, n), run(generic_table(), product, 0, n)))
                << type.name << ", " << n << " tokens";
        }
    });
}

TEST_P(PackedProducts, ATokenAloneGetsTheBitsItGetsInABatch) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 31, 512, 9, rng_);
        const Floats batch = run(*GetParam(), product, 0, 9);
        for (const std::int32_t n : {1, 2, 3, 4, 5, 7}) {
            const Floats same(batch.begin() + 2 * 31, batch.begin() + (2 + n) * 31);
            EXPECT_TRUE(bit_equal(run(*GetParam(), product, 2, n), same)) << type.name << " " << n;
        }
    });
}

TEST_P(PackedProducts, AddToWhatIsThere) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 21, 256, 5, rng_);
        const Floats replaced = run(*GetParam(), product, 0, 5);
        const Floats added = run(*GetParam(), product, 0, 5, Store::kAdd);
        for (std::size_t i = 0; i < added.size(); ++i)
            ASSERT_EQ(added[i], 1.0f + replaced[i]) << type.name;
    });
}

TEST_P(PackedProducts, LoseNothingButTheSixteenthBitOfActivations) {
    for_each_type([&](const quant::TypeTraits& type) {
        const Product product(type, 32, 1536, 4, rng_);
        const Floats exact = product.run(generic_table().matmul_any, 0, 4);
        EXPECT_LT(worst_error(run(*GetParam(), product, 0, 4), exact), 1e-4) << type.name;
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
        for (std::int32_t col = 0; col < kCols; ++col) {
            const Floats out = run(*GetParam(), product, col, 1);
            for (std::int32_t row = 0; row < kRows; ++row) {
                const float w = weights[static_cast<std::size_t>(row * kCols + col)];
                ASSERT_NEAR(out[static_cast<std::size_t>(row)], w, 1e-6f * std::abs(w) + 1e-5f)
                    << type.name << ", column " << col << ", row " << row;
            }
        }
    });
}

TEST_P(PackedProducts, TokensBecomeTheSameIntegers) {
    Floats x = random_floats(32 * 64, rng_, 3.0f);
    std::fill_n(x.begin() + 32, 32, 0.0f);    // nothing at all
    x[32 * 2] = 1e30f;                        // one that dwarfs the others
    std::fill_n(x.begin() + 96, 32, 1e-35f);  // less than a scale can say
    x[32 * 4 + 7] = NAN;
    x[32 * 5 + 9] = -INFINITY;
    Tokens fast(*GetParam(), x, 32 * 64);
    Tokens plain(generic_table(), x, 32 * 64);
    EXPECT_EQ(fast.q, plain.q);
    for (std::size_t group = 0; group < fast.scales.size(); ++group) {
        const bool broken = group == 4 || group == 5;
        EXPECT_EQ(std::isnan(fast.scales[group]), broken) << group;
        EXPECT_EQ(std::isnan(fast.sums[group]), broken) << group;
        if (broken) continue;
        EXPECT_EQ(fast.scales[group], plain.scales[group]) << group;
        EXPECT_EQ(fast.sums[group], plain.sums[group]) << group;
    }
}

INSTANTIATE_TEST_SUITE_P(Sets,
                         PackedProducts,
                         testing::ValuesIn(fast_tables()),
                         [](const auto& set) { return std::string(set.param->name); });

}  // namespace
}  // namespace notso::ml::kernels

// The matrix products of every set of kernels that this CPU runs: against the plain twins, and the
// fast ones against each other bit by bit.
#include <gtest/gtest.h>

#include "ml/kernels/avx2/table.hpp"
#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/kernels_harness.hpp"

namespace notso::ml::kernels {
namespace {

class FastMatmul : public testing::TestWithParam<const KernelTable*> {
  protected:
    std::mt19937 rng_{42};
};

TEST_P(FastMatmul, MatmulEqualsItsPlainTwin) {
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        const Product product(type, 29, 1536, 11, rng_);  // more columns than one panel holds
        const Floats expected = product.run(generic_table().matmul_any, 0, 11);
        const Floats actual = product.run(find_matmul(*GetParam(), type), 0, 11);
        EXPECT_LT(worst_error(actual, expected), 2e-6) << type.name;
        const Floats added = product.run(find_matmul(*GetParam(), type), 0, 11, Store::kAdd);
        for (std::size_t i = 0; i < added.size(); ++i)
            ASSERT_EQ(added[i], 1.0f + actual[i]) << type.name;
    }
}

TEST_P(FastMatmul, ATokenAloneGetsTheBitsItGetsInABatch) {
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        const Product product(type, 31, 768, 9, rng_);
        for (const Matmul matmul : {find_matmul(*GetParam(), type), GetParam()->matmul_any}) {
            const Floats batch = product.run(matmul, 0, 9);
            for (const std::int32_t n : {1, 2, 3, 5}) {
                const Floats part = product.run(matmul, 2, n);
                const Floats same(batch.begin() + 2 * 31, batch.begin() + (2 + n) * 31);
                EXPECT_TRUE(bit_equal(part, same)) << type.name << " " << n;
            }
        }
    }
}

TEST_P(FastMatmul, AllFastSetsGiveTheSameBits) {
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        const Product product(type, 13, 256, 7, rng_);
        EXPECT_TRUE(bit_equal(product.run(find_matmul(*GetParam(), type), 0, 7),
                              product.run(find_matmul(avx2_table(), type), 0, 7)))
            << type.name;
    }
}

TEST_P(FastMatmul, EveryTypeHasAFastKernel) {
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        EXPECT_NE(find_matmul(*GetParam(), type), GetParam()->matmul_any) << type.name;
    }
}

/// A token that is 1 in one column and 0 elsewhere reads one weight of every row: this finds a
/// wrong last bit, which a sum would hide.
TEST_P(FastMatmul, DecodesTheSameBitsAsThePlainDecoder) {
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        constexpr std::int32_t kCols = 256;
        constexpr std::int32_t kRows = 8;
        Product product(type, kRows, kCols, kCols, rng_);
        for (std::int32_t i = 0; i < kCols * kCols; ++i)
            product.x[static_cast<std::size_t>(i)] = i / kCols == i % kCols ? 1.0f : 0.0f;
        Floats weights(kRows * kCols);
        type.decode(product.weights.data(), weights.data(), weights.size());
        const Matmul matmul = find_matmul(*GetParam(), type);
        for (const std::int32_t n_tokens : {1, 64}) {
            for (std::int32_t col = 0; col < kCols; col += n_tokens) {
                const Floats out = product.run(matmul, col, n_tokens);
                for (std::int32_t i = 0; i < n_tokens * kRows; ++i) {
                    ASSERT_EQ(
                        out[static_cast<std::size_t>(i)],
                        weights[static_cast<std::size_t>(i % kRows * kCols + col + i / kRows)])
                        << type.name << ", column " << col + i / kRows << ", row " << i % kRows;
                }
            }
        }
    }
}

/// Random types, shapes and batches: each equals its plain twin, and every token of it alone has
/// the bits that it has in the batch.
TEST_P(FastMatmul, RandomProductsEqualTheirPlainTwins) {
    const auto types = quant::runnable_types();
    const auto below = [this](std::uint32_t n) { return static_cast<std::int32_t>(rng_() % n); };
    for (int i = 0; i < 300; ++i) {
        const quant::TypeTraits& type = types[rng_() % types.size()];
        const std::int32_t unit =
            std::max(static_cast<std::int32_t>(type.elements), kColumnMultiple);
        const std::int32_t n_cols = unit * (1 + below(2048 / static_cast<std::uint32_t>(unit)));
        const std::int32_t n_rows = 1 + below(40);
        const std::int32_t n_tokens = 1 + below(i % 8 == 0 ? kMatmulTokens : 12);
        const Product product(type, n_rows, n_cols, n_tokens, rng_);
        const Matmul matmul = find_matmul(*GetParam(), type);
        const Floats actual = product.run(matmul, 0, n_tokens);
        const Floats expected = product.run(generic_table().matmul_any, 0, n_tokens);
        const auto shape =
            fmt::format("{} [{}, {}] x {} tokens", type.name, n_rows, n_cols, n_tokens);
        ASSERT_LT(worst_error(actual, expected), 1e-5) << shape;
        const std::int32_t token = below(static_cast<std::uint32_t>(n_tokens));
        const auto first = actual.begin() + token * n_rows;
        ASSERT_TRUE(bit_equal(product.run(matmul, token, 1), Floats(first, first + n_rows)))
            << shape << ", token " << token;
    }
}

INSTANTIATE_TEST_SUITE_P(ThisCpu,
                         FastMatmul,
                         testing::ValuesIn(fast_tables()),
                         [](const auto& test) { return std::string(test.param->name); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FastMatmul);

}  // namespace
}  // namespace notso::ml::kernels

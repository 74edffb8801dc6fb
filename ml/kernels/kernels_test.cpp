// Attention and elementwise kernels of every set that this CPU runs: against the plain twins, and the
// fast ones against each other bit by bit. The matrix products are in matmul_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "ml/kernels/avx2/table.hpp"
#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/kernels_harness.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::kernels {
namespace {

class FastKernels : public testing::TestWithParam<const KernelTable*> {
  protected:
    std::mt19937 rng_{42};
};

struct AttentionCase {
    std::int32_t head_dim;
    std::int32_t n_heads;
    std::int32_t n_tokens;
    std::int32_t first_pos;
};

struct Heads {
    AttentionCase shape;
    Floats q;
    Floats keys;
    Floats values;
    std::vector<std::uint16_t> half_keys;
    std::vector<std::uint16_t> half_values;

    Heads(const AttentionCase& shape_, std::mt19937& rng) : shape(shape_) {
        const auto dim = static_cast<std::size_t>(shape.head_dim);
        const auto n_keys = static_cast<std::size_t>(shape.first_pos + shape.n_tokens);
        q = random_floats(
            static_cast<std::size_t>(shape.n_tokens * shape.n_heads) * dim, rng, 2.0f);
        keys = random_floats(n_keys * dim, rng);
        values = random_floats(n_keys * dim, rng);
        std::ranges::transform(keys, std::back_inserter(half_keys), quant::f32_to_f16);
        std::ranges::transform(values, std::back_inserter(half_values), quant::f32_to_f16);
    }

    /// Tokens [first, first + n) only.
    Floats run(const KernelTable& table, bool half, std::int32_t first, std::int32_t n) const {
        const auto width = static_cast<std::size_t>(shape.n_heads * shape.head_dim);
        Floats out(static_cast<std::size_t>(n) * width, NAN);
        Floats scratch(attention_scratch_floats(shape.head_dim));
        const void* k = half ? static_cast<const void*>(half_keys.data()) : keys.data();
        const void* v = half ? static_cast<const void*>(half_values.data()) : values.data();
        (half ? table.attention_f16
              : table.attention_f32)({.q = q.data() + static_cast<std::size_t>(first) * width,
                                      .q_stride = width,
                                      .n_tokens = n,
                                      .n_heads = shape.n_heads,
                                      .head_dim = shape.head_dim,
                                      .first_pos = shape.first_pos + first,
                                      .scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim)),
                                      .keys = static_cast<const std::byte*>(k),
                                      .values = static_cast<const std::byte*>(v),
                                      .out = out.data(),
                                      .out_stride = width,
                                      .scratch = scratch.data()});
        return out;
    }
};

TEST_P(FastKernels, AttentionEqualsItsPlainTwinAndIgnoresTheBatch) {
    const AttentionCase cases[] = {{64, 3, 4, 0},
                                   {64, 3, 1, 63},
                                   {128, 4, 8, 60},
                                   {16, 2, 5, 200},
                                   {96, 1, 3, 130},
                                   {80, 5, 2, 127}};
    for (const AttentionCase& shape : cases) {
        const Heads heads(shape, rng_);
        for (const bool half : {false, true}) {
            const Floats actual = heads.run(*GetParam(), half, 0, shape.n_tokens);
            EXPECT_LT(worst_error(actual, heads.run(generic_table(), half, 0, shape.n_tokens)),
                      3e-6)
                << shape.head_dim << " " << half;
            const Floats last = heads.run(*GetParam(), half, shape.n_tokens - 1, 1);
            EXPECT_TRUE(bit_equal(
                last,
                Floats(actual.end() - static_cast<std::ptrdiff_t>(last.size()), actual.end())));
            EXPECT_TRUE(bit_equal(actual, heads.run(avx2_table(), half, 0, shape.n_tokens)));
        }
    }
}

TEST_P(FastKernels, AttentionSurvivesHugeScores) {
    Heads heads({16, 1, 1, 70}, rng_);
    for (float& value : heads.keys) value *= 1e4f;
    const Floats out = heads.run(*GetParam(), false, 0, 1);
    EXPECT_LT(worst_error(out, heads.run(generic_table(), false, 0, 1)), 1e-5);
}

TEST_P(FastKernels, ElementwiseKernelsEqualTheirTwins) {
    for (const std::int32_t n : {1, 15, 16, 33, 576}) {
        const auto size = static_cast<std::size_t>(n);
        const Floats x = random_floats(size, rng_, 3.0f);
        const Floats y = random_floats(size, rng_);
        Floats a(size);
        Floats b(size);
        GetParam()->rms_norm(x.data(), y.data(), a.data(), n, 1e-5f);
        generic_table().rms_norm(x.data(), y.data(), b.data(), n, 1e-5f);
        EXPECT_LT(worst_error(a, b), 1e-6) << n;
        a = b = x;
        GetParam()->silu_mul(a.data(), y.data(), n);
        generic_table().silu_mul(b.data(), y.data(), n);
        EXPECT_LT(worst_error(a, b), 1e-6) << n;
        a = b = x;
        GetParam()->softmax(a.data(), n);
        generic_table().softmax(b.data(), n);
        EXPECT_LT(worst_error(a, b), 1e-6) << n;
        const Floats cos_sin = random_floats(2 * size, rng_);
        a = b = random_floats(2 * size, rng_);
        GetParam()->rope(a.data(), cos_sin.data(), n);
        generic_table().rope(b.data(), cos_sin.data(), n);
        EXPECT_LT(worst_error(a, b), 1e-6) << n;
    }
}

TEST_P(FastKernels, HalfConversionsAreExactAndRoundTheSame) {
    std::vector<std::uint16_t> all(0x7C00);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
    Floats a(all.size());
    Floats b(all.size());
    GetParam()->f16_to_f32(all.data(), a.data(), static_cast<std::int32_t>(all.size()) - 3);
    generic_table().f16_to_f32(all.data(), b.data(), static_cast<std::int32_t>(all.size()) - 3);
    EXPECT_TRUE(bit_equal(a, b));
    const Floats x = random_floats(999, rng_, 1e4f);
    std::vector<std::uint16_t> ha(x.size());
    std::vector<std::uint16_t> hb(x.size());
    GetParam()->f32_to_f16(x.data(), ha.data(), 999);
    generic_table().f32_to_f16(x.data(), hb.data(), 999);
    EXPECT_EQ(ha, hb);
}

INSTANTIATE_TEST_SUITE_P(ThisCpu,
                         FastKernels,
                         testing::ValuesIn(fast_tables()),
                         [](const auto& test) { return std::string(test.param->name); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FastKernels);

}  // namespace
}  // namespace notso::ml::kernels

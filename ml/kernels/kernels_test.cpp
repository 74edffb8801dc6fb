// Every set of kernels that this CPU runs: against the plain twins, and the fast ones against each
// other bit by bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "ml/device/cpu.hpp"
#include "ml/kernels/avx2/table.hpp"
#include "ml/kernels/generic/table.hpp"
#include "ml/quant/half.hpp"
#include "ml/quant/type_table.hpp"

namespace notso::ml::kernels {
namespace {

using Floats = std::vector<float>;

std::vector<const KernelTable*> fast_tables() {
    std::vector<const KernelTable*> tables;
    for (const char* name : {"avx2", "avx512"}) {
        if (const auto table = choose_kernels(detect_cpu(), name)) tables.push_back(*table);
    }
    return tables;
}

Floats random_floats(std::size_t n, std::mt19937& rng, float scale = 1.0f) {
    std::normal_distribution<float> normal(0.0f, scale);
    Floats out(n);
    for (float& value : out) value = normal(rng);
    return out;
}

/// Random blocks whose scales are ordinary numbers: found by trying bytes until the decoded block
/// is tame.
std::vector<std::byte> random_blocks(const quant::TypeTraits& type,
                                     std::size_t n,
                                     std::mt19937& rng) {
    std::vector<std::byte> blocks(n * type.bytes);
    Floats weights(type.elements);
    for (std::size_t i = 0; i < n; ++i) {
        std::byte* block = blocks.data() + i * type.bytes;
        float largest = INFINITY;
        while (!(largest < 1000.0f && largest > 1e-6f)) {
            for (std::size_t j = 0; j < type.bytes; ++j)
                block[j] = static_cast<std::byte>(rng() & 0xFF);
            type.decode(block, weights.data(), type.elements);
            largest = 0;
            for (const float w : weights)
                largest = std::isfinite(w) ? std::max(largest, std::abs(w)) : INFINITY;
        }
    }
    return blocks;
}

Matmul find_matmul(const KernelTable& table, const quant::TypeTraits& type) {
    const Matmul matmul = table.matmul_by_type[static_cast<std::size_t>(type.type)];
    return matmul != nullptr ? matmul : table.matmul_any;
}

struct Product {
    const quant::TypeTraits* type;
    std::int32_t n_rows;
    std::int32_t n_cols;
    std::vector<std::byte> weights;
    Floats x;

    Product(const quant::TypeTraits& type_,
            std::int32_t rows,
            std::int32_t cols,
            std::int32_t tokens,
            std::mt19937& rng)
        : type(&type_),
          n_rows(rows),
          n_cols(cols),
          weights(
              random_blocks(type_, static_cast<std::size_t>(rows * cols) / type_.elements, rng)),
          x(random_floats(static_cast<std::size_t>(tokens * cols), rng)) {}

    /// Tokens [first, first + n) times all rows, added to ones where `store` says so.
    Floats run(Matmul matmul,
               std::int32_t first,
               std::int32_t n,
               Store store = Store::kReplace) const {
        Floats out(static_cast<std::size_t>(n * n_rows), store == Store::kAdd ? 1.0f : NAN);
        Floats scratch(matmul_scratch_floats(n_cols));
        const auto cols = static_cast<std::size_t>(n_cols);
        matmul({.weights = weights.data(),
                .row_bytes = cols / type->elements * type->bytes,
                .decode = type->decode,
                .n_rows = n_rows,
                .n_cols = n_cols,
                .n_tokens = n,
                .store = store,
                .x = x.data() + static_cast<std::size_t>(first) * cols,
                .x_stride = cols,
                .out = out.data(),
                .out_stride = static_cast<std::size_t>(n_rows),
                .scratch = scratch.data()});
        return out;
    }
};

/// Largest error relative to the size of the sums that were made.
double worst_error(const Floats& actual, const Floats& expected) {
    double norm = 0;
    double worst = 0;
    for (const float value : expected) norm = std::max(norm, std::abs(static_cast<double>(value)));
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double error =
            std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
        worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
    return worst / norm;
}

bool bit_equal(const Floats& a, const Floats& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

class FastKernels : public testing::TestWithParam<const KernelTable*> {
  protected:
    std::mt19937 rng_{42};
};

TEST_P(FastKernels, MatmulEqualsItsPlainTwin) {
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

TEST_P(FastKernels, ATokenAloneGetsTheBitsItGetsInABatch) {
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

TEST_P(FastKernels, AllFastSetsGiveTheSameBits) {
    for (const quant::TypeTraits& type : quant::runnable_types()) {
        const Product product(type, 13, 256, 7, rng_);
        EXPECT_TRUE(bit_equal(product.run(find_matmul(*GetParam(), type), 0, 7),
                              product.run(find_matmul(avx2_table(), type), 0, 7)))
            << type.name;
    }
}

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

// Products of tokens of both precisions together, against those of one precision: by every set of
// kernels that this CPU runs, with a matrix of several pieces.
#include "ml/model/products.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/packed_harness.hpp"

namespace notso::ml {
namespace {

using Floats = std::vector<float>;

constexpr std::int32_t kRows = 31 * 16;  // of 1,088 bytes: two pieces and a part of one
constexpr std::int32_t kCols = 1024;

ModelConfig config_of_width(std::int32_t n_embd) {
    ModelConfig config;
    config.n_embd = n_embd;
    config.n_ff = config.head_dim = 32;
    config.n_heads = config.n_kv_heads = 1;
    config.n_rot = 2;
    return config;
}

class ProductsTest : public testing::TestWithParam<const kernels::KernelTable*> {
  protected:
    ProductsTest() {
        matrix_.type = source_.type;
        for (std::size_t i = 0; i < kPrecisions; ++i)
            matrix_.packed[i] = kernels::find_packed(table().packed[i], *source_.type);
        matrix_.n_rows = kRows;
        matrix_.n_cols = kCols;
        matrix_.row_bytes = packed_.panel_bytes / quant::kPackRows;
        matrix_.data = packed_.panels.data();
        matrix_.bias = bias_.data();
        work_.h.has_packed = true;
        std::ranges::copy(source_.x, work_.h.values.data());
    }
    static const kernels::KernelTable& table() { return *GetParam(); }

    void quantize(const TokenRuns& runs) const {
        for (std::int32_t t = 0; t < runs.size(); ++t) {  // in two parts, as a layer does
            products_.quantize(work_.h, runs, t, {512, 512});
            products_.quantize(work_.h, runs, t, {0, 512});
        }
    }

    /// [runs.size(), kRows], added to ones.
    Floats multiply(const TokenRuns& runs) const {
        quantize(runs);
        Floats out(extent(runs.size(), kRows), 1.0f);
        products_.multiply({matrix_, work_.h, runs, out.data(), kernels::Store::kAdd}, nullptr);
        return out;
    }

    std::mt19937 rng_{7};
    kernels::Product source_{
        *quant::find_type(gguf::TensorType::kQ8_0), kRows, kCols, kChunkTokens, rng_};
    kernels::Packed packed_{source_};
    Floats bias_ = kernels::random_floats(kRows, rng_);
    Matrix matrix_;
    Workspace work_{config_of_width(kCols), table().tiles, 2};
    ThreadPool pool_{2};
    Products products_{table(), work_, pool_};
};

Floats rows_of(const Floats& out, std::int32_t first, std::int32_t last) {
    return {out.begin() + std::ptrdiff_t{first} * kRows,
            out.begin() + std::ptrdiff_t{last} * kRows};
}

TEST_P(ProductsTest, EachTokenGetsWhatItsPrecisionGives) {
    const Floats exact = multiply({.n_exact = kChunkTokens});
    const Floats fast = multiply({.n_fast = kChunkTokens});
    for (const TokenRuns runs : {TokenRuns{1, 1}, {5, 7}, {1, 255}, {255, 1}, {40, 25}}) {
        const Floats mixed = multiply(runs);
        const std::int32_t n = runs.size();
        EXPECT_EQ(rows_of(mixed, 0, runs.n_exact), rows_of(exact, 0, runs.n_exact));
        EXPECT_EQ(rows_of(mixed, runs.n_exact, n), rows_of(fast, runs.n_exact, n));
        EXPECT_NE(rows_of(mixed, runs.n_exact, n), rows_of(exact, runs.n_exact, n));
    }
}

TEST_P(ProductsTest, NeighbouringTokensGetWhatEachGetsAlone) {
    const TokenRuns runs{.n_exact = 9, .n_fast = 23};
    const Floats expected = multiply(runs);
    std::ranges::fill_n(work_.h.values.data(), extent(runs.size(), kCols), 1.0f);
    quantize(runs);
    std::ranges::copy(source_.x, work_.h.values.data());
    for (const IndexRange rows : {IndexRange{0, 5}, {5, 20}, {25, 7}})
        products_.quantize(work_.h, runs, rows);
    Floats out(expected.size(), 1.0f);
    products_.multiply({matrix_, work_.h, runs, out.data(), kernels::Store::kAdd}, nullptr);
    EXPECT_EQ(out, expected);
}

std::atomic<int> calls_into_l2;
std::atomic<int> other_calls;
void count_call(const kernels::PackedMatmulArgs& args) noexcept {
    ++(args.into_l2 ? calls_into_l2 : other_calls);
}

TEST_P(ProductsTest, KernelsAreToldHowTheirCpuReads) {
    matrix_.packed[static_cast<std::size_t>(Precision::kExact)] = count_call;
    for (const bool into_l2 : {false, true}) {
        kernels::KernelTable kernels = table();
        kernels.into_l2 = into_l2;
        const Products products(kernels, work_, pool_);
        calls_into_l2 = other_calls = 0;
        Floats out(kRows);
        quantize({.n_exact = 1});
        products.multiply({matrix_, work_.h, {.n_exact = 1}, out.data(), kernels::Store::kReplace},
                          nullptr);
        EXPECT_EQ(calls_into_l2 > 0, into_l2);
        EXPECT_EQ(other_calls > 0, !into_l2);
    }
}

TEST(RowTasks, CoverAllRowsInOrderAndGetSmaller) {
    for (const std::int32_t n_threads : {1, 2, 7, 64}) {
        for (const std::int32_t n_rows : {1, 31, 32, 33, 576, 2048, 11008, 128256}) {
            for (const std::int32_t most : {1, 256, 4096, 1 << 30}) {
                const RowTasks tasks(n_rows, n_threads, 32, most);
                std::int32_t next = 0;
                std::int32_t last_size = n_rows + 31;
                for (std::int32_t i = 0; i < tasks.size(); ++i) {
                    const auto [first, n] = tasks[i];
                    ASSERT_EQ(first, next);
                    ASSERT_TRUE(n > 0 && n <= last_size && n <= std::max(most, 32)) << n;
                    ASSERT_TRUE(n % 32 == 0 || first + n == n_rows);
                    next += n;
                    last_size = n;
                }
                ASSERT_EQ(next, n_rows);
                if (tasks.size() > n_threads) {
                    ASSERT_LE(last_size, std::max(32, most / 32 * 32));
                }
            }
        }
    }
}

TEST_P(ProductsTest, AThreadReadsItsNextTaskAfterItsTask) {
    const RowTasks tasks = products_.split(kRows);
    ASSERT_GT(tasks.size(), 4);
    EXPECT_EQ(products_.after({0, 0}, tasks, matrix_, nullptr), matrix_.row(tasks[2].first));
    EXPECT_EQ(products_.after({1, 0}, tasks, matrix_, nullptr), matrix_.row(tasks[3].first));
    Matrix next = matrix_;
    next.data += 1000;
    next.n_rows = 64;
    for (const std::int32_t task : {tasks.size() - 2, tasks.size() - 1}) {
        EXPECT_EQ(products_.after({task, 0}, tasks, matrix_, nullptr), nullptr);
        EXPECT_EQ(products_.after({task, 0}, tasks, matrix_, &next), next.row(0));
        EXPECT_EQ(products_.after({task, 1}, tasks, matrix_, &next), next.row(32));
    }
    next.n_rows = 32;  // nothing for the second thread
    EXPECT_EQ(products_.after({tasks.size() - 1, 1}, tasks, matrix_, &next), nullptr);
}

TEST_P(ProductsTest, SomeRowsGoToAnotherPlace) {
    const TokenRuns runs{3, 2};
    constexpr IndexRange kRange{32, 400};
    constexpr std::size_t kStride = 403;
    const Floats whole = multiply(runs);
    Floats part(5 * kStride, 1.0f);
    const Product product{matrix_, work_.h, runs, nullptr, kernels::Store::kAdd};
    products_.multiply_rows(product, {kRange}, {part.data(), kStride}, 0);
    for (std::size_t t = 0; t < 5; ++t) {
        for (std::size_t row = 0; row < kStride; ++row) {
            const float expected = row < 400 ? whole[t * kRows + 32 + row] : 1.0f;
            ASSERT_EQ(part[t * kStride + row], expected) << t << ", " << row;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All,
                         ProductsTest,
                         testing::ValuesIn([] {
                             auto tables = kernels::fast_tables();
                             tables.push_back(&kernels::generic_table());
                             return tables;
                         }()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace notso::ml

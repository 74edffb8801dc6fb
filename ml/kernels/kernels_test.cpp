// Attention and elementwise kernels of every set that this CPU runs: against the plain twins, and
// the fast ones against each other bit by bit. The matrix products are in matmul_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "ml/kernels/amx/emulated.hpp"
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

constexpr KvType kAllKvTypes[] = {KvType::kF16, KvType::kF32, KvType::kQ8_0};

const KvKernels& kv_kernels(const KernelTable& table, KvType type) {
    return table.kv[static_cast<std::size_t>(type)];
}

/// Rows of [n, dim] as the cache stores them.
std::vector<std::byte> stored(const KernelTable& table, KvType type, const Floats& rows, int dim) {
    const std::size_t row_bytes = kv_row_bytes(type, dim);
    const std::size_t n = rows.size() / static_cast<std::size_t>(dim);
    std::vector<std::byte> out(n * row_bytes);
    for (std::size_t i = 0; i < n; ++i)
        kv_kernels(table, type)
            .store(&rows[i * static_cast<std::size_t>(dim)], &out[i * row_bytes], dim);
    return out;
}

/// Keys and values cut into tiles, in memory last tile first. What is no key is no number.
struct Tiles {
    Tiles(const KernelTable& table, KvType type, int dim, const Floats& keys, const Floats& values)
        : tile_bytes(kAttentionKeys * kv_row_bytes(type, dim)) {
        const std::vector<std::byte> key_rows = stored(table, type, keys, dim);
        const std::vector<std::byte> value_rows = stored(table, type, values, dim);
        const std::size_t n_tiles = (key_rows.size() + tile_bytes - 1) / tile_bytes;
        memory.resize(2 * tile_bytes * n_tiles, std::byte{0xFF});
        for (std::size_t i = 0; i < n_tiles; ++i) {
            data.push_back(&memory[2 * tile_bytes * (n_tiles - 1 - i)]);
            std::copy_n(&value_rows[i * tile_bytes],
                        std::min(tile_bytes, value_rows.size() - i * tile_bytes),
                        data.back() + tile_bytes);
        }
        const std::size_t row_bytes = kv_row_bytes(type, dim);
        const auto n_keys = static_cast<std::int32_t>(key_rows.size() / row_bytes);
        for (std::int32_t j = 0; j < n_keys; ++j)
            put_key(type,
                    {data[static_cast<std::size_t>(j / kAttentionKeys)],
                     j % kAttentionKeys,
                     0,
                     dim / kv_traits(type).elements},
                    &key_rows[static_cast<std::size_t>(j) * row_bytes]);
    }

    std::size_t tile_bytes;
    std::vector<std::byte> memory;  ///< [n_tiles, {k, v}, tile_bytes]
    std::vector<std::byte*> data;
};

struct Heads {
    AttentionCase shape;
    Floats q;
    Floats keys;
    Floats values;

    Heads(const AttentionCase& shape_, std::mt19937& rng) : shape(shape_) {
        const auto dim = static_cast<std::size_t>(shape.head_dim);
        const auto n_keys = static_cast<std::size_t>(shape.first_pos + shape.n_tokens);
        q = random_floats(
            static_cast<std::size_t>(shape.n_tokens * shape.n_heads) * dim, rng, 2.0f);
        keys = random_floats(n_keys * dim, rng);
        values = random_floats(n_keys * dim, rng);
    }

    /// Tokens [first, first + n) only.
    Floats run(const KernelTable& table,
               KvType type,
               std::int32_t first,
               std::int32_t n,
               Precision precision = Precision::kExact,
               bool into_l2 = false) const {
        const auto width = static_cast<std::size_t>(shape.n_heads * shape.head_dim);
        Floats out(static_cast<std::size_t>(n) * width, NAN);
        Floats scratch(attention_scratch_floats(shape.head_dim));
        const Tiles tiles(table, type, shape.head_dim, keys, values);
        kv_kernels(table, type)
            .attention[static_cast<std::size_t>(precision)](
                {.q = q.data() + static_cast<std::size_t>(first) * width,
                 .q_stride = width,
                 .n_tokens = n,
                 .n_heads = shape.n_heads,
                 .head_dim = shape.head_dim,
                 .first_pos = shape.first_pos + first,
                 .scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim)),
                 .tiles = tiles.data.data(),
                 .keys = 0,
                 .values = tiles.tile_bytes,
                 .out = out.data(),
                 .out_stride = width,
                 .scratch = scratch.data(),
                 .into_l2 = into_l2});
        return out;
    }
};

constexpr AttentionCase kAttentionCases[] = {{64, 3, 4, 0},
                                             {64, 3, 1, 63},
                                             {128, 4, 8, 60},
                                             {16, 2, 5, 200},
                                             {96, 1, 3, 130},
                                             {80, 5, 2, 127},
                                             {32, 7, 1, 100}};

TEST_P(FastKernels, AttentionEqualsItsPlainTwinAndIgnoresTheBatch) {
    for (const AttentionCase& shape : kAttentionCases) {
        const Heads heads(shape, rng_);
        for (const KvType type : kAllKvTypes) {
            if (shape.head_dim % kv_traits(type).elements != 0) continue;
            const Floats actual = heads.run(*GetParam(), type, 0, shape.n_tokens);
            EXPECT_LT(worst_error(actual, heads.run(generic_table(), type, 0, shape.n_tokens)),
                      3e-6)
                << shape.head_dim << " " << kv_traits(type).name;
            const Floats last = heads.run(*GetParam(), type, shape.n_tokens - 1, 1);
            EXPECT_TRUE(bit_equal(
                last,
                Floats(actual.end() - static_cast<std::ptrdiff_t>(last.size()), actual.end())));
            EXPECT_TRUE(bit_equal(actual, heads.run(avx2_table(), type, 0, shape.n_tokens)));
            EXPECT_TRUE(bit_equal(
                last,
                heads.run(*GetParam(), type, shape.n_tokens - 1, 1, Precision::kExact, true)));
        }
    }
}

/// Of fast tokens; also with emulated tiles.
std::vector<const KernelTable*> fast_attentions() {
    std::vector<const KernelTable*> tables = fast_tables();
    if (detect_cpu().avx512_vnni) tables.push_back(&emulated_amx_table());
    return tables;
}

TEST(FastAttention, IsNearItsPlainTwinAndIgnoresTheBatch) {
    std::mt19937 rng(7);
    for (const KernelTable* table : fast_attentions()) {
        for (const AttentionCase& shape : kAttentionCases) {
            const Heads heads(shape, rng);
            for (const KvType type : kAllKvTypes) {
                if (shape.head_dim % kv_traits(type).elements != 0) continue;
                const auto run = [&](const KernelTable& which, int first) {
                    return heads.run(which, type, first, shape.n_tokens - first, Precision::kFast);
                };
                const Floats all = run(*table, 0);
                EXPECT_LT(worst_error(all, run(generic_table(), 0)), 2e-2)
                    << table->name << ", " << shape.head_dim << " " << kv_traits(type).name;
                for (int first = 1; first < shape.n_tokens; ++first) {
                    const Floats rest = run(*table, first);
                    EXPECT_TRUE(bit_equal(
                        rest,
                        Floats(all.end() - static_cast<std::ptrdiff_t>(rest.size()), all.end())))
                        << table->name << ", from token " << first;
                }
                const bool has_tiles = std::string_view(table->name) == "amx";
                EXPECT_TRUE(!has_tiles || bit_equal(all, run(emulated_amx_table(), 0)))
                    << shape.head_dim;
            }
        }
    }
}

/// A number that is none stays that, whatever its other bits.
TEST(FastAttention, HidesNoNaN) {
    std::mt19937 rng(8);
    for (const KernelTable* table : fast_attentions()) {
        for (const std::uint32_t bits : {0x7FC00000U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
            Heads heads({64, 2, 2, 0}, rng);
            heads.values[5] = std::bit_cast<float>(bits);
            const Floats out = heads.run(*table, KvType::kF32, 0, 2, Precision::kFast);
            for (std::size_t i = 0; i < out.size(); ++i)
                EXPECT_EQ(std::isnan(out[i]), i % 64 == 5) << table->name << " " << i;
        }
    }
}

TEST_P(FastKernels, AttentionSurvivesHugeScores) {
    Heads heads({16, 1, 1, 70}, rng_);
    for (float& value : heads.keys) value *= 1e4f;
    const Floats out = heads.run(*GetParam(), KvType::kF32, 0, 1);
    EXPECT_LT(worst_error(out, heads.run(generic_table(), KvType::kF32, 0, 1)), 1e-5);
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

/// Sizes from below f16's smallest scale to above its largest number, in one head.
Floats numbers_of_all_sizes(std::mt19937& rng) {
    Floats row(32, 0.0f);
    for (const float size : {1e-9f, 1e-6f, 1e-3f, 1.0f, 127.0f, 1e4f, 1e5f}) {
        const Floats part = random_floats(32, rng, size);
        row.insert(row.end(), part.begin(), part.end());
    }
    return row;
}

TEST_P(FastKernels, KeysAndValuesAreStoredAsTheirTwinsStoreThem) {
    const Floats row = numbers_of_all_sizes(rng_);
    const auto dim = static_cast<int>(row.size());
    for (const KvType type : kAllKvTypes)
        EXPECT_EQ(stored(*GetParam(), type, row, dim), stored(generic_table(), type, row, dim))
            << kv_traits(type).name;
    const Floats odd(row.begin(), row.begin() + 19);  // a head that fills no vectors
    EXPECT_EQ(stored(*GetParam(), KvType::kF16, odd, 19),
              stored(generic_table(), KvType::kF16, odd, 19));
}

TEST(StoredKeys, ComeBackFromATileAsTheyWere) {
    for (const KvType type : kAllKvTypes) {
        constexpr int kDim = 64;
        const std::size_t row_bytes = kv_row_bytes(type, kDim);
        const std::int32_t n_blocks = kDim / kv_traits(type).elements;
        std::vector<std::byte> rows(kKvTileTokens * row_bytes);
        std::mt19937 rng(5);
        for (std::byte& byte : rows) byte = static_cast<std::byte>(rng());
        std::vector<std::byte> tile(rows.size());
        for (std::int32_t pos = kKvTileTokens; pos-- > 0;) {
            const std::byte* row = &rows[static_cast<std::size_t>(pos) * row_bytes];
            const auto half = static_cast<std::size_t>(n_blocks / 2 * kv_traits(type).bytes);
            put_key(type, {tile.data(), pos, n_blocks / 2, n_blocks - n_blocks / 2}, row + half);
            put_key(type, {tile.data(), pos, 0, n_blocks / 2}, row);
        }
        std::vector<std::byte> back(rows.size());
        for (std::int32_t pos = 0; pos < kKvTileTokens; ++pos)
            get_key(type,
                    {tile.data(), pos, 0, n_blocks},
                    &back[static_cast<std::size_t>(pos) * row_bytes]);
        EXPECT_EQ(back, rows) << kv_traits(type).name << ": nothing overlaps, nothing is lost";
    }
}

TEST(StoredKeys, Q8_0IsWithinHalfAStepOfWhatWasStored) {
    std::mt19937 rng(3);
    const Floats row = numbers_of_all_sizes(rng);
    const auto blocks = stored(generic_table(), KvType::kQ8_0, row, static_cast<int>(row.size()));
    Floats back(row.size());
    quant::find_type(gguf::TensorType::kQ8_0)->decode(blocks.data(), back.data(), back.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
        const auto first = row.begin() + static_cast<std::ptrdiff_t>(i / 32 * 32);
        const float greatest = std::abs(*std::max_element(
            first, first + 32, [](float a, float b) { return std::abs(a) < std::abs(b); }));
        // The scale is an f16: its own rounding may cost the greatest number a little more.
        EXPECT_LE(std::abs(back[i] - row[i]), greatest / 254.0f * 1.13f + 4e-6f) << row[i];
    }
}

INSTANTIATE_TEST_SUITE_P(ThisCpu,
                         FastKernels,
                         testing::ValuesIn(fast_tables()),
                         [](const auto& test) { return std::string(test.param->name); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FastKernels);

}  // namespace
}  // namespace notso::ml::kernels

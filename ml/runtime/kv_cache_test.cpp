// KvPool and KvCache: rows never overlap, shared pages are never written, pages come back,
// impossible sizes are refused with numbers.
#include "ml/runtime/kv_cache.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace notso::ml {
namespace {

constexpr std::int32_t kLayers = 3;
constexpr std::int32_t kHeads = 2;

ModelConfig small() {
    ModelConfig config;
    config.n_layers = kLayers;
    config.n_kv_heads = kHeads;
    config.head_dim = 32;
    return config;
}

std::unique_ptr<KvPool> make_pool(std::int32_t n_pages) {
    return *KvPool::create(small(), n_pages, KvType::kF16);
}

/// Writes a mark into the rows of the next tokens, as a forward pass would.
void write(KvCache& cache, std::int32_t n_tokens, int mark) {
    for (std::int32_t pos = cache.size(); pos < cache.size() + n_tokens; ++pos) {
        const std::vector<std::byte> row(64, static_cast<std::byte>(mark));
        put_key(KvType::kF16, {cache.keys(2, 1, pos), pos % kPageTokens, 0, 32}, row.data());
        std::memset(cache.value(2, 1, pos), mark, 64);
    }
    cache.advance(n_tokens);
}

/// The marks of all tokens.
std::vector<int> marks(KvCache& cache) {
    std::vector<int> out;
    for (std::int32_t pos = 0; pos < cache.size(); ++pos) {
        std::vector<std::byte> row(64);
        get_key(KvType::kF16, {cache.keys(2, 1, pos), pos % kPageTokens, 0, 32}, row.data());
        EXPECT_EQ(std::memcmp(row.data(), cache.value(2, 1, pos), 64), 0);
        out.push_back(static_cast<int>(row.front()));
    }
    return out;
}

std::vector<int> runs(std::initializer_list<std::pair<int, int>> parts) {
    std::vector<int> out;
    for (const auto& [n, mark] : parts) out.insert(out.end(), static_cast<std::size_t>(n), mark);
    return out;
}

TEST(KvCache, EveryHeadHasItsOwnRows) {
    constexpr std::int32_t kTokens = 70;  // more than a page
    for (const auto& [type, bytes] :
         {std::pair(KvType::kF16, 64U), {KvType::kF32, 128U}, {KvType::kQ8_0, 34U}}) {
        auto cache = *KvCache::create(small(), kTokens, type);
        std::vector<std::byte*> rows;  // of keys: their tiles cut into as many
        for (int layer = 0; layer < kLayers; ++layer)
            for (int head = 0; head < kHeads; ++head)
                for (std::int32_t pos = 0; pos < kTokens; ++pos) {
                    rows.push_back(cache->keys(layer, head, pos) +
                                   static_cast<std::size_t>(pos % kPageTokens) * bytes);
                    rows.push_back(cache->value(layer, head, pos));
                }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto mark = static_cast<std::uint16_t>(i);
            std::memset(rows[i], 0, bytes);
            std::memcpy(rows[i], &mark, 2);
            std::memcpy(rows[i] + bytes - 2, &mark, 2);
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto mark = static_cast<std::uint16_t>(i);
            ASSERT_EQ(std::memcmp(rows[i], &mark, 2), 0) << i;
            ASSERT_EQ(std::memcmp(rows[i] + bytes - 2, &mark, 2), 0) << i;
        }
    }
}

TEST(KvCache, KernelsFindTheRowsOfATile) {
    auto cache = *KvCache::create(small(), 200, KvType::kF16);
    for (const std::int32_t pos : {0, 63, 64, 130, 199}) {
        const std::byte* tile = cache->data()[pos / kPageTokens];
        const auto row = static_cast<std::size_t>(pos % kPageTokens) * 64;
        EXPECT_EQ(tile + cache->pool().keys_offset(1, 1), cache->keys(1, 1, pos));
        EXPECT_EQ(tile + cache->pool().values_offset(1, 1) + row, cache->value(1, 1, pos));
    }
}

TEST(KvCache, CountsTokens) {
    auto cache = *KvCache::create(small(), 5, KvType::kF16);
    EXPECT_EQ(cache->size(), 0);
    cache->advance(4);
    cache->truncate(1);
    EXPECT_EQ(cache->size(), 1);
    EXPECT_EQ(cache->capacity(), 5);
}

TEST(KvCache, TakesPagesAsItGrowsAndGivesThemBack) {
    const auto pool = make_pool(3);
    {
        KvCache cache(*pool);
        EXPECT_EQ(cache.capacity(), 0);
        EXPECT_EQ(cache.pages_wanted(65), 2);
        ASSERT_TRUE(cache.reserve(1));
        EXPECT_EQ(cache.capacity(), 64);
        write(cache, 64, 1);
        EXPECT_EQ(pool->n_free(), 2);
        EXPECT_FALSE(cache.reserve(129));
        EXPECT_TRUE(cache.reserve(128));
        EXPECT_EQ(cache.pages_wanted(128), 0);
        EXPECT_EQ(pool->n_free(), 0);
    }
    EXPECT_EQ(pool->n_free(), 3);
    std::set<KvPage> all;
    while (const auto page = pool->take()) all.insert(*page);
    EXPECT_EQ(all.size(), 3U);
}

TEST(KvCache, SharedPagesAreCopiedBeforeTheyAreWritten) {
    const auto pool = make_pool(8);
    KvCache first(*pool);
    ASSERT_TRUE(first.reserve(100));
    write(first, 100, 1);
    KvCache fork(*pool);
    fork.share(first.pages(), 90);
    EXPECT_EQ(pool->n_free(), 6) << "nothing is copied yet";
    EXPECT_EQ(fork.pages_wanted(1), 1);
    ASSERT_TRUE(fork.reserve(50));
    EXPECT_EQ(pool->n_free(), 4) << "a copy of the page that is begun, and another";
    write(fork, 50, 2);
    ASSERT_TRUE(first.reserve(28));
    EXPECT_EQ(pool->n_free(), 4) << "the second page is its own again";
    write(first, 28, 3);
    EXPECT_EQ(marks(first), runs({{100, 1}, {28, 3}}));
    EXPECT_EQ(marks(fork), runs({{90, 1}, {50, 2}}));
    EXPECT_EQ(pool->n_users(first.pages()[0]), 2);
}

TEST(KvCache, WhatIsForgottenBeforeAForkIsNotWrittenOver) {
    const auto pool = make_pool(8);
    KvCache first(*pool);
    ASSERT_TRUE(first.reserve(128));
    write(first, 128, 1);
    KvCache fork(*pool);
    fork.share(first.pages(), 128);
    fork.truncate(10);
    ASSERT_TRUE(fork.reserve(100));
    write(fork, 100, 2);
    EXPECT_EQ(marks(first), runs({{128, 1}}));
    EXPECT_EQ(marks(fork), runs({{10, 1}, {100, 2}}));
}

TEST(KvCache, APoolThatIsEmptyLeavesTheCacheAsItWas) {
    const auto pool = make_pool(2);
    KvCache first(*pool);
    ASSERT_TRUE(first.reserve(70));
    write(first, 70, 1);
    KvCache fork(*pool);
    fork.share(first.pages(), 70);
    EXPECT_FALSE(fork.reserve(1));
    EXPECT_EQ(marks(fork), runs({{70, 1}}));
    EXPECT_EQ(fork.capacity(), 70) << "no room in a page of others";
}

TEST(KvCache, RefusesWhatCannotBeHeld) {
    ModelConfig config = small();
    config.n_layers = 1'000'000;
    config.n_kv_heads = 1'000'000;
    const auto cache = KvCache::create(config, 2'000'000'000, KvType::kF32);
    ASSERT_FALSE(cache);
    EXPECT_EQ(cache.error().code, ErrorCode::kOutOfMemory);
    EXPECT_NE(cache.error().detail.find("the system refused"), std::string::npos);
    EXPECT_EQ(KvCache::create(small(), 0, KvType::kF16).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(KvPool::create(small(), 0, KvType::kF16).error().code, ErrorCode::kInvalidArgument);
    config = small();
    config.head_dim = 48;
    const auto odd = KvCache::create(config, 5, KvType::kQ8_0);
    ASSERT_FALSE(odd);
    EXPECT_EQ(odd.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(odd.error().detail.find("48 dimensions are no whole number of q8_0 blocks of 32"),
              std::string::npos);
}

}  // namespace
}  // namespace notso::ml

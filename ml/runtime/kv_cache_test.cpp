// KvCache: rows of different layers, heads, keys and values never overlap; impossible sizes are
// refused with numbers.
#include "ml/runtime/kv_cache.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace notso::ml {
namespace {

ModelConfig small() {
    ModelConfig config;
    config.n_layers = 3;
    config.n_kv_heads = 2;
    config.head_dim = 16;
    return config;
}

TEST(KvCache, EveryHeadHasItsOwnRows) {
    for (const KvType type : {KvType::kF16, KvType::kF32}) {
        auto cache = KvCache::create(small(), 5, type);
        ASSERT_TRUE(cache);
        const std::size_t bytes = 5 * 16 * (type == KvType::kF16 ? 2 : 4);
        int value = 0;
        for (int layer = 0; layer < 3; ++layer) {
            for (int head = 0; head < 2; ++head) {
                std::memset((*cache)->keys(layer, head), ++value, bytes);
                std::memset((*cache)->values(layer, head), ++value, bytes);
            }
        }
        value = 0;
        for (int layer = 0; layer < 3; ++layer) {
            for (int head = 0; head < 2; ++head) {
                for (std::byte* rows :
                     {(*cache)->keys(layer, head), (*cache)->values(layer, head)}) {
                    ++value;
                    EXPECT_EQ(rows[0], static_cast<std::byte>(value));
                    EXPECT_EQ(rows[bytes - 1], static_cast<std::byte>(value));
                }
            }
        }
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

TEST(KvCache, RefusesWhatMemoryCannotHold) {
    ModelConfig config = small();
    config.n_layers = 1'000'000;
    config.n_kv_heads = 1'000'000;
    const auto cache = KvCache::create(config, 2'000'000'000, KvType::kF32);
    ASSERT_FALSE(cache);
    EXPECT_EQ(cache.error().code, ErrorCode::kOutOfMemory);
    EXPECT_NE(cache.error().detail.find("MiB are available"), std::string::npos);
    EXPECT_EQ(KvCache::create(small(), 0, KvType::kF16).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace notso::ml

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
    config.head_dim = 32;
    return config;
}

TEST(KvCache, EveryHeadHasItsOwnRows) {
    for (const auto& [type, bytes] :
         {std::pair(KvType::kF16, 5U * 64), {KvType::kF32, 5U * 128}, {KvType::kQ8_0, 5U * 34}}) {
        auto cache = KvCache::create(small(), 5, type);
        ASSERT_TRUE(cache);
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

TEST(KvCache, RefusesWhatCannotBeHeld) {
    ModelConfig config = small();
    config.n_layers = 1'000'000;
    config.n_kv_heads = 1'000'000;
    const auto cache = KvCache::create(config, 2'000'000'000, KvType::kF32);
    ASSERT_FALSE(cache);
    EXPECT_EQ(cache.error().code, ErrorCode::kOutOfMemory);
    EXPECT_NE(cache.error().detail.find("the system refused"), std::string::npos);
    EXPECT_EQ(KvCache::create(small(), 0, KvType::kF16).error().code, ErrorCode::kInvalidArgument);
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

// PrefixTree: finds the longest beginning, shares pages, gives back what was used longest ago, and
// agrees with a plain list of texts whatever is done to it.
#include "ml/runtime/prefix_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "ml/model/model.hpp"
#include "ml/runtime/kv_cache.hpp"

namespace notso::ml {
namespace {

ModelConfig tiny() {
    ModelConfig config;
    config.n_layers = config.n_kv_heads = 1;
    config.head_dim = 2;
    return config;
}

using Text = std::vector<TokenId>;

Text text(std::initializer_list<std::pair<int, int>> parts) {
    Text out;
    for (const auto& [n, id] : parts)
        out.insert(out.end(), static_cast<std::size_t>(n), TokenId{id});
    return out;
}

class Prefixes : public ::testing::Test {
  protected:
    /// Reads a text as an engine would: what is held already is shared. Then the tree holds it.
    std::int32_t read(const Text& tokens, std::optional<std::int32_t> n_tree = {}) {
        KvCache cache(*pool_);
        const std::int32_t held = resume(cache, tokens);
        write_rest(cache, tokens);
        tree_.insert(std::span(tokens).first(extent(n_tree.value_or(cache.size()))), cache.pages());
        return held;
    }

    std::int32_t resume(KvCache& cache, const Text& tokens) {
        const PrefixTree::Match match = tree_.find(tokens);
        cache.share(match.pages, match.n_tokens);
        for (std::int32_t pos = 0; pos < cache.size(); ++pos)
            EXPECT_EQ(token_at(cache, pos), tokens[extent(pos)]) << "position " << pos;
        return match.n_tokens;
    }

    void write_rest(KvCache& cache, const Text& tokens) {
        ASSERT_TRUE(cache.reserve(static_cast<std::int32_t>(tokens.size()) - cache.size()));
        while (cache.size() < std::ssize(tokens)) {
            std::memcpy(cache.value(0, 0, cache.size()), &tokens[extent(cache.size())], 4);
            cache.advance(1);
        }
    }

    static TokenId token_at(KvCache& cache, std::int32_t pos) {
        TokenId id{};
        std::memcpy(&id, cache.value(0, 0, pos), 4);
        return id;
    }

    static std::size_t extent(std::int32_t n) { return static_cast<std::size_t>(n); }

    std::unique_ptr<KvPool> pool_ = *KvPool::create(tiny(), 60, KvType::kF16);
    PrefixTree tree_{*pool_};
};

TEST_F(Prefixes, FindsTheLongestBeginning) {
    EXPECT_EQ(read(text({{150, 1}, {10, 2}})), 0);
    EXPECT_EQ(read(text({{150, 1}, {10, 2}})), 160);
    EXPECT_EQ(read(text({{150, 1}, {4, 2}, {70, 3}})), 154) << "a fork inside a page";
    EXPECT_EQ(read(text({{150, 1}, {4, 2}, {70, 3}, {1, 4}})), 224);
    EXPECT_EQ(read(text({{64, 1}, {9, 5}})), 64) << "a fork between pages";
    EXPECT_EQ(read(text({{3, 1}})), 3);
    EXPECT_EQ(read(text({{3, 9}})), 0);
    EXPECT_EQ(tree_.find({}).n_tokens, 0);
}

TEST_F(Prefixes, PagesAreShared) {
    read(text({{128, 1}, {10, 2}}));
    EXPECT_EQ(tree_.n_pages(), 3);
    read(text({{128, 1}, {10, 3}}));
    EXPECT_EQ(tree_.n_pages(), 4);
    read(text({{128, 1}, {10, 3}, {10, 4}}));
    EXPECT_EQ(tree_.n_pages(), 4) << "a page that is begun is replaced by one that goes on";
    EXPECT_EQ(pool_->n_free(), 60 - 4);
}

TEST_F(Prefixes, TheSameTextReadTwiceAtOnceIsHeldOnce) {
    const Text tokens = text({{100, 1}});
    KvCache first(*pool_);
    KvCache second(*pool_);
    write_rest(first, tokens);
    write_rest(second, tokens);
    tree_.insert(tokens, first.pages());
    tree_.insert(tokens, second.pages());
    EXPECT_EQ(tree_.n_pages(), 2);
    EXPECT_EQ(pool_->n_users(first.pages()[0]), 2);
    EXPECT_EQ(pool_->n_users(second.pages()[0]), 1);
}

TEST_F(Prefixes, AnOwnerMayWriteBehindWhatIsHeld) {
    const Text tokens = text({{70, 1}, {20, 2}});
    read(tokens, 75);
    EXPECT_EQ(read(text({{70, 1}, {9, 2}, {1, 3}})), 75) << "only what was said to be there";
}

TEST_F(Prefixes, WhatWasUsedLongestAgoGoesFirst) {
    read(text({{65, 1}}));
    read(text({{65, 2}}));
    read(text({{65, 3}}));
    read(text({{65, 1}, {1, 9}}));  // used again: 1 stays longest
    EXPECT_EQ(tree_.n_evictable(), 6);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(tree_.evict());
    EXPECT_EQ(tree_.find(text({{65, 2}})).n_tokens, 0);
    EXPECT_EQ(tree_.find(text({{65, 3}})).n_tokens, 64) << "the end goes first";
    EXPECT_EQ(tree_.find(text({{65, 1}})).n_tokens, 65);
    while (tree_.evict()) continue;
    EXPECT_EQ(tree_.n_pages(), 0);
    EXPECT_EQ(pool_->n_free(), 60);
}

TEST_F(Prefixes, PagesInUseStay) {
    const Text tokens = text({{130, 1}});
    read(tokens);
    KvCache user(*pool_);
    const PrefixTree::Match match = tree_.find(text({{100, 1}}));
    user.share(match.pages, match.n_tokens);
    EXPECT_EQ(tree_.n_evictable(), 1);
    EXPECT_TRUE(tree_.evict());
    EXPECT_FALSE(tree_.evict());
    EXPECT_EQ(tree_.find(tokens).n_tokens, 128);
}

TEST_F(Prefixes, AnUnusedPageBeforeOneInUseStays) {
    const Text tokens = text({{128, 1}});
    read(text({{64, 1}}));
    KvCache user(*pool_);
    write_rest(user, tokens);  // read on its own: its first page is not the tree's
    tree_.insert(tokens, user.pages());
    EXPECT_EQ(tree_.n_evictable(), 0);
    EXPECT_FALSE(tree_.evict());
}

/// Against a list of all texts ever read: a match is never wrong, and never shorter than it must be
/// while nothing was given back.
TEST_F(Prefixes, AgreesWithAListOfTexts) {
    std::mt19937 rng(7);
    const auto any = [&](int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); };
    std::vector<Text> texts;
    bool all_held = true;
    for (int round = 0; round < 2000; ++round) {
        Text tokens;
        if (!texts.empty() && any(4) > 0) {
            tokens = texts[rng() % texts.size()];
            tokens.resize(rng() % (tokens.size() + 1));
        }
        for (int n = any(3) * any(60) + 1; n > 0; --n) tokens.push_back(TokenId{any(3)});
        if (tokens.size() > 300) tokens.resize(300);
        while (pool_->n_free() < pages_for(static_cast<std::int32_t>(tokens.size())) + 1) {
            ASSERT_TRUE(tree_.evict());
            all_held = false;
        }
        std::ptrdiff_t longest = 0;
        for (const Text& other : texts) {
            const auto same = std::ranges::mismatch(other, tokens).in1 - other.begin();
            longest = std::max(longest, same);
        }
        const std::int32_t found = read(tokens);
        ASSERT_LE(found, longest) << "round " << round;
        ASSERT_TRUE(!all_held || found == longest) << "round " << round;
        ASSERT_EQ(pool_->n_free(), 60 - tree_.n_pages()) << "no page is lost";
        texts.push_back(tokens);
    }
    EXPECT_FALSE(all_held) << "the pool was large enough for all: nothing was proven of evict()";
}

}  // namespace
}  // namespace notso::ml

// How the tokens of several sequences are cut into chunks, and their attention into blocks.
#include "ml/model/chunk.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "ml/runtime/kv_cache.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kVocab = 5;

/// Sequences with caches of 1,000 tokens; `held` of them are there already.
class ChunkTest : public ::testing::Test {
  protected:
    struct Tokens {
        std::int32_t held;
        std::int32_t n;
        Precision precision;
        std::int32_t n_logits = 0;
    };

    std::vector<Segment> make(std::initializer_list<Tokens> sequences) {
        ModelConfig config;
        config.n_layers = config.n_heads = config.n_kv_heads = 1;
        config.head_dim = 4;
        std::vector<Segment> segments;
        for (const Tokens& tokens : sequences) {
            caches_.push_back(*KvCache::create(config, 1000, KvType::kF16));
            caches_.back()->advance(tokens.held);
            ids_.emplace_back(extent(tokens.n));
            logits_.emplace_back(extent(tokens.n_logits, kVocab));
            segments.push_back({ids_.back(), *caches_.back(), logits_.back(), tokens.precision});
        }
        return segments;
    }

    /// "sequence:first token+tokens@position" of each part, chunk by chunk.
    std::vector<std::string> cut(const std::vector<Segment>& segments) {
        std::vector<std::string> chunks;
        ChunkCutter cutter(segments, kVocab);
        while (cutter.next(chunk_)) {
            std::string text;
            std::int32_t row = 0;
            for (const ChunkPart& part : chunk_.parts) {
                EXPECT_EQ(part.first_row, row);
                row += part.size();
                std::size_t i = 0;
                while (&segments[i].cache != part.cache) ++i;
                text += fmt::format("{}{}:{}+{}@{}",
                                    text.empty() ? "" : " ",
                                    i,
                                    part.tokens.data() - segments[i].tokens.data(),
                                    part.size(),
                                    part.first_pos);
                part.cache->advance(part.size());
            }
            EXPECT_EQ(row, chunk_.size());
            for (const LogitsRow& logits : chunk_.logits) rows_.push_back(logits);
            chunks.push_back(text +
                             fmt::format(" | {} {}", chunk_.runs.n_exact, chunk_.runs.n_fast));
        }
        return chunks;
    }

    Chunk chunk_;
    std::vector<LogitsRow> rows_;
    std::vector<std::unique_ptr<KvCache>> caches_;
    std::vector<std::vector<TokenId>> ids_;
    std::vector<std::vector<float>> logits_;
};

using Strings = std::vector<std::string>;
constexpr auto kExact = Precision::kExact;
constexpr auto kFast = Precision::kFast;

TEST_F(ChunkTest, ExactTokensComeBeforeFastOnes) {
    const auto segments =
        make({{3, 2, kFast}, {7, 1, kExact}, {0, 4, kFast}, {0, 0, kExact}, {9, 3, kExact}});
    EXPECT_EQ(cut(segments), (Strings{"1:0+1@7 4:0+3@9 0:0+2@3 2:0+4@0 | 4 6"}));
    EXPECT_EQ(cut({}), Strings());
    EXPECT_EQ(cut(make({{3, 0, kFast}, {7, 0, kExact}})), Strings());
}

TEST_F(ChunkTest, WhatDoesNotFitGoesOnInTheNextChunk) {
    EXPECT_EQ(cut(make({{0, 256, kExact}})), (Strings{"0:0+256@0 | 256 0"}));
    EXPECT_EQ(cut(make({{0, 257, kFast}})), (Strings{"0:0+256@0 | 0 256", "0:256+1@256 | 0 1"}));
    EXPECT_EQ(cut(make({{5, 600, kExact}, {9, 1, kExact}, {1, 120, kFast}, {2, 100, kFast}})),
              (Strings{"0:0+256@5 | 256 0",
                       "0:256+256@261 | 256 0",
                       "0:512+88@517 1:0+1@9 2:0+120@1 3:0+47@2 | 89 167",
                       "3:47+53@49 | 0 53"}));
}

TEST_F(ChunkTest, LogitsGoToTheirOwnSequence) {
    cut(make({{0, 3, kFast, 2}, {0, 2, kExact}, {0, 1, kExact, 1}}));
    ASSERT_EQ(rows_.size(), 3U);
    EXPECT_EQ(rows_[0].row, 2);
    EXPECT_EQ(rows_[0].out, logits_[2].data());
    EXPECT_EQ(rows_[1].row, 4);
    EXPECT_EQ(rows_[1].out, logits_[0].data());
    EXPECT_EQ(rows_[2].row, 5);
    EXPECT_EQ(rows_[2].out, logits_[0].data() + kVocab);
}

TEST_F(ChunkTest, LogitsOfALongSequenceComeFromSeveralChunks) {
    cut(make({{0, 5, kExact}, {0, 400, kExact, 200}}));  // 251 and 149 tokens
    ASSERT_EQ(rows_.size(), 200U);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const auto token = static_cast<std::int32_t>(200 + i);
        EXPECT_EQ(rows_[i].row, token < 251 ? token + 5 : token - 251) << i;
        EXPECT_EQ(rows_[i].out, logits_[1].data() + i * kVocab) << i;
    }
}

TEST_F(ChunkTest, AttentionBlocksCoverEachTokenOnceTheCostliestFirst) {
    const auto segments = make({{500, 1, kExact}, {0, 21, kFast}, {90, 9, kExact}});
    ASSERT_TRUE(ChunkCutter(segments, kVocab).next(chunk_));
    chunk_.cut_attention(8);
    std::vector<int> seen(extent(chunk_.size()));
    for (std::size_t i = 0; i < chunk_.blocks.size(); ++i) {
        const AttentionBlock& block = chunk_.blocks[i];
        EXPECT_LE(block.n_tokens, 8);
        EXPECT_LE(block.first + block.n_tokens, block.part->size());
        EXPECT_LE(block.cost(), chunk_.blocks[i - std::min<std::size_t>(i, 1)].cost());
        for (std::int32_t t = 0; t < block.n_tokens; ++t)
            ++seen[extent(block.part->first_row + block.first + t)];
    }
    EXPECT_EQ(seen, std::vector<int>(31, 1));
    EXPECT_EQ(chunk_.blocks.front().cost(), 8 * 98);
    EXPECT_EQ(chunk_.blocks[1].cost(), 501);
}

TEST_F(ChunkTest, ACacheMayOnlyComeOnce) {
    std::vector<Segment> segments = make({{0, 1, kExact}, {0, 1, kExact}, {0, 1, kExact}});
    EXPECT_TRUE(check_caches_differ(segments));
    segments.push_back({ids_[0], *caches_[1]});
    const auto refused = check_caches_differ(segments);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().detail, "sequences 1 and 3 of 4 share a cache");
    const Segment neighbours[] = {segments[0], segments[0]};
    EXPECT_FALSE(check_caches_differ(neighbours));
}

}  // namespace
}  // namespace notso::ml

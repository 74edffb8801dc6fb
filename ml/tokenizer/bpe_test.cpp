// Merging: both ways of WordMerger against a plain loop over random merge lists, ordinary ones and
// hostile ones.
#include "ml/tokenizer/bpe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace notso::ml {
namespace {

using Word = std::vector<std::uint32_t>;
using Rules = std::map<std::pair<std::uint32_t, std::uint32_t>, Merge>;

std::uint32_t below(std::mt19937& random, std::uint32_t end) {
    return static_cast<std::uint32_t>(random() % end);
}

/// The definition: find the lowest rank, leftmost; merge; repeat.
Word plain(const Rules& rules, Word word) {
    while (true) {
        Merge best;
        std::size_t at = 0;
        for (std::size_t i = 0; i + 1 < word.size(); ++i) {
            const auto rule = rules.find({word[i], word[i + 1]});
            if (rule == rules.end() || rule->second.rank >= best.rank) continue;
            best = rule->second;
            at = i;
        }
        if (best.rank == Merge::kNoRank) return word;
        word[at] = best.token;
        word.erase(word.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
}

/// @param ordered  Ranks grow with the tokens they make, as in trained vocabularies; else they are
/// shuffled.
Rules random_rules(std::mt19937& random, std::uint32_t letters, bool ordered) {
    Rules rules;
    std::vector<std::uint32_t> ranks(60);
    for (std::uint32_t i = 0; i < ranks.size(); ++i) ranks[i] = i;
    if (!ordered) std::ranges::shuffle(ranks, random);
    std::uint32_t next = letters;
    for (const std::uint32_t rank : ranks) {
        const std::pair pair(below(random, next), below(random, next));
        if (rules.contains(pair)) continue;
        rules[pair] = {rank, next++};
    }
    return rules;
}

TEST(WordMerger, EqualsThePlainLoop) {
    std::mt19937 random(3);
    for (int round = 0; round < 3'000; ++round) {
        const std::uint32_t letters = 1 + below(random, 4);
        const Rules rules = random_rules(random, letters, round % 2 == 0);
        MergeTable table(rules.size());
        for (const auto& [pair, merge] : rules) table.add(pair.first, pair.second, merge);
        WordMerger merger(table);
        for (int words = 0; words < 4; ++words) {
            Word word(below(random, 120));
            for (auto& letter : word) letter = below(random, letters);
            const Word expected = plain(rules, word);
            Word shorter = word;
            merger.merge_short(shorter);
            ASSERT_EQ(shorter, expected);
            Word longer = word;
            merger.merge_long(longer);
            ASSERT_EQ(longer, expected);
            merger.merge(word);
            ASSERT_EQ(word, expected);
        }
    }
}

TEST(MergeTable, FindsWhatWasAddedAndNothingElse) {
    MergeTable table(1);  // far too small: it has to grow
    for (std::uint32_t i = 0; i < 10'000; ++i) table.add(i, i * 7, {i, i + 1});
    table.add(5, 35, {99'999, 42});  // replaces
    EXPECT_EQ(table.rank_end(), 100'000U);
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        const Merge merge = table.find(i, i * 7);
        ASSERT_EQ(merge.token, i == 5 ? 42 : i + 1);
        ASSERT_EQ(table.find(i, i * 7 + 1).rank, Merge::kNoRank);
    }
    EXPECT_EQ(MergeTable().find(0, 0).rank, Merge::kNoRank);
}

TEST(MergeQueue, GivesTheLowestRankThenTheLowestPosition) {
    std::mt19937 random(5);
    MergeQueue queue(8);
    for (int round = 0; round < 200; ++round) {
        std::multimap<std::pair<std::uint32_t, std::uint32_t>, int> expected;
        for (int step = 0; step < 200; ++step) {
            if (random() % 3 != 0) {
                const MergeQueue::Entry entry{static_cast<std::uint32_t>(random() % 8),
                                              static_cast<std::uint32_t>(random() % 50)};
                queue.push(entry);
                expected.emplace(std::pair(entry.rank, entry.position), 0);
                continue;
            }
            const auto entry = queue.pop();
            ASSERT_EQ(entry.has_value(), !expected.empty());
            if (!entry) continue;
            ASSERT_EQ(expected.begin()->first, std::pair(entry->rank, entry->position));
            expected.erase(expected.begin());
        }
        while (queue.pop()) {
        }
    }
}

}  // namespace
}  // namespace notso::ml

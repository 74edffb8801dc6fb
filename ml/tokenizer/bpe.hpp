// Byte pair encoding of one word: the adjacent pair with the lowest rank merges first, the leftmost
// of equals first, until no pair merges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ml/tokenizer/merge_queue.hpp"
#include "ml/tokenizer/merge_table.hpp"

namespace notso::ml {

/// Merges words; keeps its working memory between words. One per thread and text.
class WordMerger {
  public:
    explicit WordMerger(const MergeTable& merges) noexcept : merges_(merges) {}

    /// Merges the tokens in `word` (one per byte on entry, at most 2^31) in place.
    /// @cost O(n²) up to kShortWord tokens, near O(n) beyond (O(n log n) at worst).
    void merge(std::vector<std::uint32_t>& word);

    /// The two ways, the same result; public for the test that compares them.
    void merge_short(std::vector<std::uint32_t>& word);
    void merge_long(std::vector<std::uint32_t>& word);

    /// Up to here scanning all pairs is faster than a queue.
    static constexpr std::size_t kShortWord = 48;

  private:
    struct Link {
        std::uint32_t prev;
        std::uint32_t next;
    };
    void queue_pair(const std::vector<std::uint32_t>& word, std::uint32_t left);
    void join(std::vector<std::uint32_t>& word, std::uint32_t left, std::uint32_t token);

    const MergeTable& merges_;
    std::vector<Merge> pairs_;  // merge_short: the merge of each token with its right neighbour
    std::vector<Link> links_;   // merge_long: neighbours of each token that is left
    std::optional<MergeQueue> queue_;  // merge_long: pairs by rank and position of the left one
};

}  // namespace notso::ml

// MergeQueue: which pair of a long word merges next. A priority queue over (rank, position) that is
// linear for what long words look like: the positions of one rank arrive nearly in order, so they
// wait in a list, not in a heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace notso::ml {

/// Not thread-safe. Keeps its memory between words.
class MergeQueue {
  public:
    struct Entry {
        std::uint32_t rank;
        std::uint32_t position;
    };

    /// @param n_ranks  Every rank is below this.
    explicit MergeQueue(std::size_t n_ranks) : bucket_of_(n_ranks, kNoBucket) {}

    /// @cost O(1) when `position` is not below the last one of its rank, else O(log n).
    void push(Entry entry);

    /// Takes the entry with the lowest rank, the lowest position of equals. @cost O(1) amortised,
    /// as push.
    std::optional<Entry> pop();

  private:
    /// Positions that wait with one rank.
    struct Bucket {
        std::vector<std::uint32_t> in_order;  // ascending; those before `taken` are gone
        std::size_t taken = 0;
        std::vector<std::uint32_t> late;  // a heap, lowest first: positions that came out of order
    };
    static constexpr std::uint32_t kNoBucket = UINT32_MAX;

    Bucket& bucket_for(std::uint32_t rank);
    void release(std::uint32_t rank);

    std::vector<std::uint32_t> bucket_of_;  // [n_ranks]
    std::vector<std::uint32_t> ranks_;      // a heap, lowest first: ranks that have a bucket
    std::vector<Bucket> buckets_;
    std::vector<std::uint32_t> free_buckets_;
};

}  // namespace notso::ml

// MergeTable: which two tokens merge into which, and how early. A flat hash table: it is asked
// several times for every word of every text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace notso::ml {

/// What a pair becomes. `rank` is the line of the merge list: lower ranks merge first.
struct Merge {
    static constexpr std::uint32_t kNoRank = UINT32_MAX;
    std::uint32_t rank = kNoRank;
    std::uint32_t token = 0;
};

class MergeTable {
  public:
    MergeTable() = default;
    /// @param expected  Number of merges that will be added; more make lookups slow.
    explicit MergeTable(std::size_t expected);

    /// Adds a merge; a pair that is there already is replaced.
    void add(std::uint32_t left, std::uint32_t right, Merge merge);

    /// Every rank in the table is below this.
    std::size_t rank_end() const noexcept { return rank_end_; }

    /// The merge of a pair; rank kNoRank when they don't merge. @cost O(1) expected.
    Merge find(std::uint32_t left, std::uint32_t right) const noexcept {
        const std::uint64_t key = pair(left, right);
        for (std::size_t i = slot(key);; i = (i + 1) & mask_) {
            const Entry& entry = entries_[i];
            if (entry.key == key) return entry.merge;
            if (entry.key == kEmpty) return {};
        }
    }

  private:
    static constexpr std::uint64_t kEmpty =
        UINT64_MAX;  // ids are below 2^31: no pair looks like this
    struct Entry {
        std::uint64_t key = kEmpty;
        Merge merge;
    };

    static std::uint64_t pair(std::uint32_t left, std::uint32_t right) noexcept {
        return (std::uint64_t{left} << 32) | right;
    }
    std::size_t slot(std::uint64_t key) const noexcept {
        return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15ULL) >> 32) & mask_;
    }

    std::vector<Entry> entries_ = std::vector<Entry>(2);
    std::size_t mask_ = 1;
    std::size_t used_ = 0;
    std::size_t rank_end_ = 0;
};

}  // namespace notso::ml

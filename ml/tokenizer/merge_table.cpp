#include "ml/tokenizer/merge_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace notso::ml {

MergeTable::MergeTable(std::size_t expected)
    : entries_(std::bit_ceil(2 * expected + 2)), mask_(entries_.size() - 1) {}

void MergeTable::add(std::uint32_t left, std::uint32_t right, Merge merge) {
    rank_end_ = std::max(rank_end_, std::size_t{merge.rank} + 1);
    const std::uint64_t key = pair(left, right);
    std::size_t i = slot(key);
    while (entries_[i].key != key && entries_[i].key != kEmpty) i = (i + 1) & mask_;
    if (entries_[i].key == kEmpty && 2 * ++used_ > entries_.size()) {
        // Keep half of the slots empty: find() relies on meeting one.
        MergeTable larger(2 * used_);
        for (const Entry& entry : entries_) {
            if (entry.key == kEmpty) continue;
            larger.add(static_cast<std::uint32_t>(entry.key >> 32),
                       static_cast<std::uint32_t>(entry.key),
                       entry.merge);
        }
        larger.add(left, right, merge);
        larger.rank_end_ = rank_end_;
        *this = std::move(larger);
        return;
    }
    entries_[i] = {key, merge};
}

}  // namespace notso::ml

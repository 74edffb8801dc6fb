#include "ml/tokenizer/bpe.hpp"

#include <algorithm>

namespace notso::ml {
namespace {

constexpr std::uint32_t kGone = UINT32_MAX;  // a token that was merged into its left neighbour
constexpr std::uint32_t kNone = UINT32_MAX;  // no neighbour

}  // namespace

void WordMerger::merge(std::vector<std::uint32_t>& word) {
    if (word.size() <= kShortWord) {
        merge_short(word);
    } else {
        merge_long(word);
    }
}

void WordMerger::merge_short(std::vector<std::uint32_t>& word) {
    if (word.size() < 2) return;
    pairs_.resize(word.size() - 1);
    for (std::size_t i = 0; i + 1 < word.size(); ++i)
        pairs_[i] = merges_.find(word[i], word[i + 1]);
    while (!pairs_.empty()) {
        const auto best = std::ranges::min_element(pairs_, {}, &Merge::rank);
        if (best->rank == Merge::kNoRank) return;
        const auto i = best - pairs_.begin();
        const auto at = static_cast<std::size_t>(i);
        word[at] = best->token;
        word.erase(word.begin() + i + 1);
        pairs_.erase(best);
        if (at > 0) pairs_[at - 1] = merges_.find(word[at - 1], word[at]);
        if (at + 1 < word.size()) pairs_[at] = merges_.find(word[at], word[at + 1]);
    }
}

void WordMerger::queue_pair(const std::vector<std::uint32_t>& word, std::uint32_t left) {
    const std::uint32_t right = links_[left].next;
    if (right == kNone) return;
    const std::uint32_t rank = merges_.find(word[left], word[right]).rank;
    if (rank != Merge::kNoRank) queue_->push({.rank = rank, .position = left});
}

void WordMerger::join(std::vector<std::uint32_t>& word, std::uint32_t left, std::uint32_t token) {
    const std::uint32_t right = links_[left].next;
    const std::uint32_t after = links_[right].next;
    word[left] = token;
    word[right] = kGone;
    links_[left].next = after;
    if (after != kNone) links_[after].prev = left;
}

void WordMerger::merge_long(std::vector<std::uint32_t>& word) {
    const auto size = static_cast<std::uint32_t>(word.size());
    links_.resize(size);
    for (std::uint32_t i = 0; i < size; ++i) {
        links_[i] = {i == 0 ? kNone : i - 1, i + 1 == size ? kNone : i + 1};
    }
    if (!queue_) queue_.emplace(merges_.rank_end());
    for (std::uint32_t i = 0; i < size; ++i) queue_pair(word, i);
    while (const auto entry = queue_->pop()) {
        const std::uint32_t left = entry->position;
        // The pair may have changed since it was queued; then this entry is stale.
        if (word[left] == kGone || links_[left].next == kNone) continue;
        const Merge merge = merges_.find(word[left], word[links_[left].next]);
        if (merge.rank != entry->rank) continue;
        join(word, left, merge.token);
        if (links_[left].prev != kNone) queue_pair(word, links_[left].prev);
        queue_pair(word, left);
    }
    std::erase(word, kGone);
}

}  // namespace notso::ml

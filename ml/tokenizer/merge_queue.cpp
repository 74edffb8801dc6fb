#include "ml/tokenizer/merge_queue.hpp"

#include <algorithm>
#include <functional>

namespace notso::ml {
namespace {

void heap_push(std::vector<std::uint32_t>& heap, std::uint32_t value) {
    heap.push_back(value);
    std::ranges::push_heap(heap, std::greater<>{});
}

std::uint32_t heap_pop(std::vector<std::uint32_t>& heap) {
    std::ranges::pop_heap(heap, std::greater<>{});
    const std::uint32_t value = heap.back();
    heap.pop_back();
    return value;
}

}  // namespace

MergeQueue::Bucket& MergeQueue::bucket_for(std::uint32_t rank) {
    std::uint32_t& index = bucket_of_[rank];
    if (index == kNoBucket) {
        if (free_buckets_.empty()) {
            free_buckets_.push_back(static_cast<std::uint32_t>(buckets_.size()));
            buckets_.emplace_back();
        }
        index = free_buckets_.back();
        free_buckets_.pop_back();
        heap_push(ranks_, rank);
    }
    return buckets_[index];
}

void MergeQueue::release(std::uint32_t rank) {
    const std::uint32_t index = bucket_of_[rank];
    buckets_[index].in_order.clear();
    buckets_[index].taken = 0;
    free_buckets_.push_back(index);
    bucket_of_[rank] = kNoBucket;
    heap_pop(ranks_);
}

void MergeQueue::push(Entry entry) {
    Bucket& bucket = bucket_for(entry.rank);
    if (bucket.in_order.empty() || bucket.in_order.back() <= entry.position) {
        bucket.in_order.push_back(entry.position);
    } else {
        heap_push(bucket.late, entry.position);
    }
}

std::optional<MergeQueue::Entry> MergeQueue::pop() {
    if (ranks_.empty()) return std::nullopt;
    Entry entry{.rank = ranks_.front(), .position = 0};
    Bucket& bucket = buckets_[bucket_of_[entry.rank]];
    const bool has_order = bucket.taken < bucket.in_order.size();
    if (!bucket.late.empty() &&
        (!has_order || bucket.late.front() < bucket.in_order[bucket.taken])) {
        entry.position = heap_pop(bucket.late);
    } else {
        entry.position = bucket.in_order[bucket.taken++];
    }
    if (bucket.taken == bucket.in_order.size() && bucket.late.empty()) release(entry.rank);
    return entry;
}

}  // namespace notso::ml

#include "ml/runtime/kv_cache.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace notso::ml {

Result<std::unique_ptr<KvCache>> KvCache::create(const ModelConfig& config,
                                                 std::int32_t capacity,
                                                 KvType type) {
    if (capacity <= 0)
        return fail(
            ErrorCode::kInvalidArgument, "a KV cache for {} tokens makes no sense", capacity);
    NOTSO_TRY(auto pool, KvPool::create(config, pages_for(capacity), type));
    auto cache = std::make_unique<KvCache>(*pool);
    cache->own_pool_ = std::move(pool);
    NOTSO_ASSERT(cache->reserve(capacity), "the pool is as large as the cache");
    cache->capacity_ = capacity;
    return cache;
}

KvCache::~KvCache() {
    for (const KvPage page : pages_) pool_->drop_user(page);
}

void KvCache::share(std::span<const KvPage> pages, std::int32_t n_tokens) {
    NOTSO_ASSERT(pages_.empty() && std::ssize(pages) == pages_for(n_tokens),
                 "an empty cache begins with whole pages");
    for (const KvPage page : pages) {
        pages_.push_back(page);
        data_.push_back(pool_->data(page));
        pool_->add_user(page);
    }
    // Whatever else is in its last page belongs to others: no room yet.
    capacity_ = size_ = n_tokens;
}

bool KvCache::reserve(std::int32_t n_tokens) {
    const std::int32_t wanted = size_ + n_tokens;
    const auto n_pages = static_cast<std::size_t>(pages_for(wanted));
    for (auto i = static_cast<std::size_t>(size_ / kPageTokens); i < n_pages; ++i) {
        const bool is_begun = static_cast<std::int32_t>(i) * kPageTokens < size_;
        if (i < pages_.size()) {
            if (is_shared(i) && !renew(i, is_begun)) return false;
        } else {
            const std::optional<KvPage> page = pool_->take();
            if (!page) return false;
            pages_.push_back(*page);
            data_.push_back(pool_->data(*page));
        }
        capacity_ = std::max(capacity_, static_cast<std::int32_t>(i + 1) * kPageTokens);
    }
    return true;
}

/// Replaces a page by one of its own; its contents are kept when wanted.
bool KvCache::renew(std::size_t page, bool keep) {
    const std::optional<KvPage> fresh = pool_->take();
    if (!fresh) return false;
    std::byte* data = pool_->data(*fresh);
    if (keep) std::memcpy(data, data_[page], pool_->page_bytes());
    pool_->drop_user(pages_[page]);
    pages_[page] = *fresh;
    data_[page] = data;
    return true;
}

std::int32_t KvCache::pages_wanted(std::int32_t n_tokens) const noexcept {
    std::int32_t n = 0;
    for (std::int32_t i = size_ / kPageTokens; i < pages_for(size_ + n_tokens); ++i) {
        const auto page = static_cast<std::size_t>(i);
        n += page >= pages_.size() || is_shared(page);
    }
    return n;
}

void KvCache::truncate(std::int32_t n) noexcept {
    NOTSO_ASSERT(n >= 0 && n <= size_, "a cache is only ever cut shorter");
    size_ = n;
}

}  // namespace notso::ml

// KvCache: keys and values of one sequence, for every layer: a list of pages of a KvPool, some of
// which it may share with other sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/kv_pool.hpp"

namespace notso::ml {

/// Users count tokens; rows are the forward pass's business. Used by one thread.
class KvCache {
  public:
    /// A cache with a pool of its own and room for `capacity` tokens.
    /// @errors As KvPool::create.
    static Result<std::unique_ptr<KvCache>> create(const ModelConfig& config,
                                                   std::int32_t capacity,
                                                   KvType type);
    /// Empty and without room. The pool outlives it.
    explicit KvCache(KvPool& pool) noexcept : pool_(&pool) {}
    ~KvCache();
    KvCache(const KvCache&) = delete;
    KvCache& operator=(const KvCache&) = delete;

    /// Tokens held. The next token goes to this position.
    std::int32_t size() const noexcept { return size_; }
    /// Tokens that it has room for; see reserve().
    std::int32_t capacity() const noexcept { return capacity_; }
    KvType type() const noexcept { return pool_->type(); }

    /// Begins with the first n_tokens of what `pages` hold and shares those pages. The cache is
    /// empty and without room.
    /// @param pages  pages_for(n_tokens) of them.
    void share(std::span<const KvPage> pages, std::int32_t n_tokens);
    /// Makes room for n_tokens more, in pages that nobody else uses: a shared page that will be
    /// written is copied. False when the pool has too few pages left; the cache is as it was then,
    /// with some room more.
    bool reserve(std::int32_t n_tokens);
    /// Pages that reserve(n_tokens) would take from the pool.
    std::int32_t pages_wanted(std::int32_t n_tokens) const noexcept;

    /// Forgets everything from position `n` on; the room stays. n ≤ size().
    void truncate(std::int32_t n) noexcept;
    /// Called by the forward pass once keys and values of `n` more tokens are in place.
    void advance(std::int32_t n) noexcept { size_ += n; }

    /// The pages, those that are only reserved last.
    std::span<const KvPage> pages() const noexcept { return pages_; }
    /// Where the pages are in memory: token t is in data[t / kPageTokens].
    const std::byte* const* data() const noexcept { return data_.data(); }
    const KvPool& pool() const noexcept { return *pool_; }

    /// The keys of a KV head in the page of a token (kv_tile.hpp).
    std::byte* keys(std::int32_t layer, std::int32_t kv_head, std::int32_t pos) noexcept {
        return page_of(pos) + pool_->keys_offset(layer, kv_head);
    }
    /// One token's value: [head_dim] of type().
    std::byte* value(std::int32_t layer, std::int32_t kv_head, std::int32_t pos) noexcept {
        return page_of(pos) + pool_->values_offset(layer, kv_head) +
               static_cast<std::size_t>(pos % kPageTokens) * pool_->row_bytes();
    }

  private:
    bool is_shared(std::size_t page) const noexcept { return pool_->n_users(pages_[page]) > 1; }
    bool renew(std::size_t page, bool keep);
    std::byte* page_of(std::int32_t pos) noexcept {
        return data_[static_cast<std::size_t>(pos / kPageTokens)];
    }

    std::unique_ptr<KvPool> own_pool_;  // of create()
    KvPool* pool_;
    std::vector<KvPage> pages_;
    std::vector<std::byte*> data_;  // of each page
    std::int32_t capacity_ = 0;
    std::int32_t size_ = 0;
};

}  // namespace notso::ml

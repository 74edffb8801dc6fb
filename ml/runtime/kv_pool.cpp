#include "ml/runtime/kv_pool.hpp"

#include <sys/mman.h>

#include <limits>

#include "base/assert.hpp"
#include "ml/model/model.hpp"

namespace notso::ml {
namespace {

/// a · b, or the largest number where that wraps: shapes come from a file.
std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
    std::uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max()
                                                  : product;
}

}  // namespace

Result<std::unique_ptr<KvPool>> KvPool::create(const ModelConfig& config,
                                               std::int32_t n_pages,
                                               KvType type) {
    if (n_pages <= 0)
        return fail(ErrorCode::kInvalidArgument, "a KV pool of {} pages makes no sense", n_pages);
    const KvTraits& traits = kv_traits(type);
    if (config.head_dim % traits.elements != 0)
        return fail(ErrorCode::kUnsupported,
                    "heads of {} dimensions are no whole number of {} blocks of {}",
                    config.head_dim,
                    traits.name,
                    traits.elements);
    const std::uint64_t row_bytes = kv_row_bytes(type, config.head_dim);
    const std::uint64_t heads = static_cast<std::uint64_t>(config.n_layers) *
                                static_cast<std::uint64_t>(config.n_kv_heads) * 2;
    const std::uint64_t page_bytes = multiply(heads, row_bytes * kPageTokens);
    const std::uint64_t bytes = multiply(page_bytes, static_cast<std::uint64_t>(n_pages));
    void* memory = mmap(
        nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return fail(ErrorCode::kOutOfMemory,
                    "the system refused {} MiB for keys and values of {} tokens",
                    bytes >> 20,
                    std::int64_t{n_pages} * kPageTokens);
    // Only a wish: without large pages attention is a little slower.
    madvise(memory, bytes, MADV_HUGEPAGE);

    std::unique_ptr<KvPool> pool(new KvPool());
    pool->memory_ = static_cast<std::byte*>(memory);
    pool->bytes_ = bytes;
    pool->page_bytes_ = page_bytes;
    pool->row_bytes_ = row_bytes;
    pool->tile_bytes_ = row_bytes * kPageTokens;
    pool->n_kv_heads_ = config.n_kv_heads;
    pool->type_ = type;
    pool->users_.resize(static_cast<std::size_t>(n_pages));
    for (std::int32_t i = n_pages; i-- > 0;) pool->free_.push_back(KvPage{i});
    return pool;
}

KvPool::~KvPool() {
    if (memory_ != nullptr) munmap(memory_, bytes_);
}

std::optional<KvPage> KvPool::take() {
    if (free_.empty()) return std::nullopt;
    const KvPage page = free_.back();
    free_.pop_back();
    users_[index(page)] = 1;
    return page;
}

void KvPool::add_user(KvPage page) noexcept {
    NOTSO_ASSERT(users_[index(page)] > 0, "only a page in use can get another user");
    ++users_[index(page)];
}

void KvPool::drop_user(KvPage page) noexcept {
    NOTSO_ASSERT(users_[index(page)] > 0, "only a page in use can be given back");
    // free_ had room for all pages from the beginning: this does not allocate.
    if (--users_[index(page)] == 0) free_.push_back(page);
}

std::size_t KvPool::keys_offset(std::int32_t layer, std::int32_t kv_head) const noexcept {
    const auto heads = static_cast<std::size_t>(n_kv_heads_);
    return (static_cast<std::size_t>(layer) * 2 * heads + static_cast<std::size_t>(kv_head)) *
           tile_bytes_;
}

std::size_t KvPool::values_offset(std::int32_t layer, std::int32_t kv_head) const noexcept {
    return keys_offset(layer, kv_head) + static_cast<std::size_t>(n_kv_heads_) * tile_bytes_;
}

}  // namespace notso::ml

#include "ml/runtime/kv_cache.hpp"

#include <sys/mman.h>

#include <limits>

#include "base/assert.hpp"

namespace notso::ml {
namespace {

/// a · b, or the largest number where that wraps: shapes come from a file.
std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
    std::uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max()
                                                  : product;
}

}  // namespace

Result<std::unique_ptr<KvCache>> KvCache::create(const ModelConfig& config,
                                                 std::int32_t capacity,
                                                 KvType type) {
    if (capacity <= 0)
        return fail(
            ErrorCode::kInvalidArgument, "a KV cache for {} tokens makes no sense", capacity);
    const KvTraits& traits = kv_traits(type);
    if (config.head_dim % traits.elements != 0)
        return fail(ErrorCode::kUnsupported,
                    "heads of {} dimensions are no whole number of {} blocks of {}",
                    config.head_dim,
                    traits.name,
                    traits.elements);
    const std::uint64_t head_bytes =
        multiply(static_cast<std::uint64_t>(capacity), kv_row_bytes(type, config.head_dim));
    const std::uint64_t heads = static_cast<std::uint64_t>(config.n_layers) *
                                static_cast<std::uint64_t>(config.n_kv_heads) * 2;
    const std::uint64_t bytes = multiply(heads, head_bytes);
    void* memory = mmap(
        nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return fail(ErrorCode::kOutOfMemory,
                    "the system refused {} MiB for keys and values of {} tokens",
                    bytes >> 20,
                    capacity);

    std::unique_ptr<KvCache> cache(new KvCache());
    cache->memory_ = static_cast<std::byte*>(memory);
    cache->bytes_ = bytes;
    cache->head_bytes_ = head_bytes;
    cache->n_kv_heads_ = config.n_kv_heads;
    cache->capacity_ = capacity;
    cache->type_ = type;
    return cache;
}

KvCache::~KvCache() {
    if (memory_ != nullptr) munmap(memory_, bytes_);
}

void KvCache::truncate(std::int32_t n) noexcept {
    NOTSO_ASSERT(n >= 0 && n <= size_, "a cache is only ever cut shorter");
    size_ = n;
}

std::byte* KvCache::keys(std::int32_t layer, std::int32_t kv_head) noexcept {
    const auto index =
        (static_cast<std::size_t>(layer) * 2) * static_cast<std::size_t>(n_kv_heads_) +
        static_cast<std::size_t>(kv_head);
    return memory_ + index * head_bytes_;
}

std::byte* KvCache::values(std::int32_t layer, std::int32_t kv_head) noexcept {
    return keys(layer, kv_head) + static_cast<std::size_t>(n_kv_heads_) * head_bytes_;
}

}  // namespace notso::ml

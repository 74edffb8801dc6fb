#include "ml/runtime/kv_cache.hpp"

#include <sys/mman.h>

#include <limits>

#include "base/assert.hpp"
#include "ml/device/resources.hpp"

namespace notso::ml {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

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
    const std::uint64_t element = type == KvType::kF16 ? 2 : 4;
    const auto tokens = static_cast<std::uint64_t>(capacity);
    const std::uint64_t head_bytes =
        multiply(tokens, static_cast<std::uint64_t>(config.head_dim) * element);
    const std::uint64_t heads = static_cast<std::uint64_t>(config.n_layers) *
                                static_cast<std::uint64_t>(config.n_kv_heads) * 2;
    const std::uint64_t bytes = multiply(heads, head_bytes);
    const std::uint64_t available = read_memory().available_bytes;
    const auto refuse = [&] {
        return fail(ErrorCode::kOutOfMemory,
                    "a context of {} tokens needs {:.0f} MiB for keys and values; {:.0f} MiB are "
                    "available: "
                    "use a shorter one (--ctx)",
                    capacity,
                    static_cast<double>(bytes) / kMiB,
                    static_cast<double>(available) / kMiB);
    };
    if (available != 0 && bytes > available) return refuse();
    void* memory = mmap(
        nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return refuse();

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

// KvCache: keys and values of one sequence, for every layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "ml/model/model.hpp"

namespace notso::ml {

/// Memory of one sequence. Layout is the attention kernels' business; users only count tokens.
class KvCache {
  public:
    /// Reserves room for `capacity` tokens (address space; pages are touched as they are used).
    /// Whether they will fit in memory is MemoryPlan's business.
    /// @errors kOutOfMemory when the system refuses; kUnsupported when head_dim is no whole number
    /// of the type's blocks.
    static Result<std::unique_ptr<KvCache>> create(const ModelConfig& config,
                                                   std::int32_t capacity,
                                                   KvType type);

    /// Tokens held. The next token goes to this position.
    std::int32_t size() const noexcept { return size_; }
    std::int32_t capacity() const noexcept { return capacity_; }
    KvType type() const noexcept { return type_; }

    /// Forgets everything from position `n` on. n ≤ size().
    void truncate(std::int32_t n) noexcept;
    /// Called by the forward pass once keys and values of `n` more tokens are in place.
    void advance(std::int32_t n) noexcept { size_ += n; }

    /// Start of a KV head's rows of one layer: [capacity, head_dim] of type(), row-major.
    std::byte* keys(std::int32_t layer, std::int32_t kv_head) noexcept;
    std::byte* values(std::int32_t layer, std::int32_t kv_head) noexcept;

    ~KvCache();
    KvCache(const KvCache&) = delete;
    KvCache& operator=(const KvCache&) = delete;

  private:
    KvCache() = default;

    std::byte* memory_ =
        nullptr;  // anonymous mapping: [layer, {k, v}, kv_head, capacity, head_dim]
    std::size_t bytes_ = 0;
    std::size_t head_bytes_ = 0;  // capacity * kv_row_bytes
    std::int32_t n_kv_heads_ = 0;
    std::int32_t capacity_ = 0;
    std::int32_t size_ = 0;
    KvType type_ = KvType::kF16;
};

}  // namespace notso::ml

// KvPool: the memory for keys and values of one engine, in pages of kPageTokens tokens. Pages are
// counted by their users, so that sequences share what they have in common. Knows nothing of
// tokens; used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "ml/kernels/kv_type.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml {

struct ModelConfig;

/// Tokens of a page: a tile of the attention kernels.
inline constexpr std::int32_t kPageTokens = kernels::kAttentionKeys;

enum class KvPage : std::int32_t {};

class KvPool {
  public:
    /// Reserves room for `n_pages` pages (address space; memory is touched as it is used). Whether
    /// they will fit in memory is MemoryPlan's business.
    /// @errors kOutOfMemory when the system refuses; kUnsupported when head_dim is no whole number
    /// of the type's blocks; kInvalidArgument for no pages.
    static Result<std::unique_ptr<KvPool>> create(const ModelConfig& config,
                                                  std::int32_t n_pages,
                                                  KvType type);
    ~KvPool();
    KvPool(const KvPool&) = delete;
    KvPool& operator=(const KvPool&) = delete;

    /// A page with one user; its contents are anything. Nothing when all are in use.
    std::optional<KvPage> take();
    void add_user(KvPage page) noexcept;
    /// Gives the page back when this was its last user.
    void drop_user(KvPage page) noexcept;
    std::int32_t n_users(KvPage page) const noexcept { return users_[index(page)]; }

    std::byte* data(KvPage page) const noexcept { return memory_ + index(page) * page_bytes_; }
    /// Where a KV head begins in every page: its keys as kv_tile.hpp has them, its values as rows.
    std::size_t keys_offset(std::int32_t layer, std::int32_t kv_head) const noexcept;
    std::size_t values_offset(std::int32_t layer, std::int32_t kv_head) const noexcept;

    KvType type() const noexcept { return type_; }
    std::size_t row_bytes() const noexcept { return row_bytes_; }
    std::size_t page_bytes() const noexcept { return page_bytes_; }
    std::int32_t n_pages() const noexcept { return static_cast<std::int32_t>(users_.size()); }
    std::int32_t n_free() const noexcept { return static_cast<std::int32_t>(free_.size()); }

  private:
    KvPool() = default;
    static std::size_t index(KvPage page) noexcept { return static_cast<std::size_t>(page); }

    std::byte* memory_ = nullptr;  // [page, layer, {k, v}, kv_head, tile]
    std::size_t bytes_ = 0;        // of the mapping
    std::size_t page_bytes_ = 0;
    std::size_t row_bytes_ = 0;
    std::size_t tile_bytes_ = 0;  // kPageTokens rows
    std::int32_t n_kv_heads_ = 0;
    KvType type_ = KvType::kF16;
    std::vector<std::int32_t> users_;  // [n_pages]
    std::vector<KvPage> free_;         // the next one to be taken last
};

/// The number of pages that hold so many tokens.
constexpr std::int32_t pages_for(std::int32_t n_tokens) noexcept {
    return (n_tokens + kPageTokens - 1) / kPageTokens;
}

}  // namespace notso::ml

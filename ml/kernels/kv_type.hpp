// KvType: how the cache stores keys and values, one row of facts per type. Plain types only, like
// table.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml {

enum class KvType : std::uint8_t {
    kF16,   ///< The default.
    kF32,   ///< Exact: what the projections gave.
    kQ8_0,  ///< Blocks of 32 along a head: an f16 scale, then 32 signed bytes. Half of f16.
};

/// Facts about one type.
struct KvTraits {
    const char* name;          ///< As `--kv` takes it.
    std::int32_t elements;     ///< Of one block; a head's dimensions are whole blocks.
    std::int32_t bytes;        ///< Of one block.
    std::int32_t scale_bytes;  ///< Of those: a scale, which comes first.
};

/// By KvType.
inline constexpr KvTraits kKvTraits[] = {{"f16", 1, 2, 0}, {"f32", 1, 4, 0}, {"q8_0", 32, 34, 2}};
inline constexpr std::size_t kKvTypes = sizeof(kKvTraits) / sizeof(kKvTraits[0]);

constexpr const KvTraits& kv_traits(KvType type) noexcept {
    return kKvTraits[static_cast<std::size_t>(type)];
}

/// Bytes of one head's key or value. head_dim is a multiple of kv_traits(type).elements.
constexpr std::size_t kv_row_bytes(KvType type, std::int32_t head_dim) noexcept {
    const KvTraits& traits = kv_traits(type);
    return static_cast<std::size_t>(head_dim / traits.elements) *
           static_cast<std::size_t>(traits.bytes);
}

}  // namespace notso::ml

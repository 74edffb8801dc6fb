// How keys stand in a tile of the cache. They are turned: what all keys of a tile have for one
// dimension is side by side, so that sixteen keys can be scored at once as they are. Values stand
// row by row. Plain code, for whoever writes a key or wants one back.
#pragma once

#include <cstring>
#include <type_traits>

#include "ml/kernels/kv_type.hpp"

namespace notso::ml {

/// Tokens whose keys, or values, stand together.
inline constexpr std::int32_t kKvTileTokens = 64;

/// A key, or some of its dimensions, and the tile that it belongs to.
template <class Byte>
struct KvKeyPlace {
    Byte* tile;
    std::int32_t pos;          ///< In the tile, < kKvTileTokens.
    std::int32_t first_block;  ///< Of KvTraits::elements dimensions.
    std::int32_t n_blocks;
};

/// Copies those blocks of a key between its row, which begins with them, and the tile, which has
/// of each block of dimensions the scales of all keys, if there are any, then their numbers for one
/// dimension after the other.
/// @param copy  Gets a piece of the row, its place in the tile and a constant, its bytes.
template <KvType kType, class Byte, class Row, class Copy>
void copy_key(const KvKeyPlace<Byte>& place, Row* row, const Copy& copy) noexcept {
    constexpr KvTraits kTraits = kv_traits(kType);
    constexpr std::ptrdiff_t kTokens = kKvTileTokens;
    constexpr std::ptrdiff_t kScale = kTraits.scale_bytes;
    constexpr std::ptrdiff_t kNumber = (kTraits.bytes - kScale) / kTraits.elements;
    Byte* block = place.tile + place.first_block * (kTokens * kTraits.bytes);
    for (std::int32_t b = 0; b < place.n_blocks; ++b, block += kTokens * kTraits.bytes) {
        if constexpr (kScale > 0)
            copy(row, block + place.pos * kScale, std::integral_constant<std::size_t, kScale>());
        row += kScale;
        Byte* number = block + kTokens * kScale + place.pos * kNumber;
        for (std::int32_t i = 0; i < kTraits.elements; ++i, row += kNumber)
            copy(row,
                 number + i * (kTokens * kNumber),
                 std::integral_constant<std::size_t, kNumber>());
    }
}

template <class Byte, class Row, class Copy>
void copy_key(KvType type, const KvKeyPlace<Byte>& place, Row* row, const Copy& copy) noexcept {
    switch (type) {
        case KvType::kF16:
            return copy_key<KvType::kF16>(place, row, copy);
        case KvType::kF32:
            return copy_key<KvType::kF32>(place, row, copy);
        case KvType::kQ8_0:
            return copy_key<KvType::kQ8_0>(place, row, copy);
    }
}

/// Writes blocks of a key, as KvKernels::store made them, into its tile.
inline void put_key(KvType type,
                    const KvKeyPlace<std::byte>& place,
                    const std::byte* row) noexcept {
    copy_key(type, place, row, [](const std::byte* from, std::byte* to, auto n) {
        std::memcpy(to, from, n());
    });
}

/// Reads blocks of a key back, as KvKernels::store makes them.
inline void get_key(KvType type,
                    const KvKeyPlace<const std::byte>& place,
                    std::byte* row) noexcept {
    copy_key(type, place, row, [](std::byte* to, const std::byte* from, auto n) {
        std::memcpy(to, from, n());
    });
}

}  // namespace notso::ml

// Packed weights: sixteen rows side by side, so that one vector holds the same columns of all of
// them. The same bytes as the file's, in another order: every field of a block stands sixteen times
// in a row, and weights are taken in fields of four bytes. So a 64-byte line is sixteen rows times
// four bytes, whatever the block type, and packing can be undone without loss. Plain.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ml/gguf/file.hpp"

namespace notso::ml::quant {

inline constexpr std::size_t kPackRows = 16;

/// How the bytes of one block fall into fields. A field list ends at the block's end.
struct PackFields {
    struct Run {
        std::uint16_t field_bytes;
        std::uint16_t count;
    };
    std::uint16_t block_bytes;
    Run runs[4];  ///< In the order of the block; unused ones are zero.
};

/// Null for a type that is not packed.
const PackFields* find_pack_fields(gguf::TensorType type) noexcept;

/// Packs up to sixteen rows of whole blocks into one panel; rows that are missing become zeros.
/// @param rows  [n_rows, row_bytes]  @param panel  [kPackRows * row_bytes]  @cost O(bytes)
void pack_rows(const PackFields& fields,
               const std::byte* rows,
               std::size_t n_rows,
               std::size_t row_bytes,
               std::byte* panel) noexcept;

/// Takes row `index` of sixteen out of a panel. @param row  [row_bytes]
void unpack_row(const PackFields& fields,
                const std::byte* panel,
                std::size_t index,
                std::size_t row_bytes,
                std::byte* row) noexcept;

}  // namespace notso::ml::quant

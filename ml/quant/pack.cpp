#include "ml/quant/pack.hpp"

#include <cstring>
#include <type_traits>

#include "ml/quant/q4_0.hpp"
#include "ml/quant/q4_1.hpp"
#include "ml/quant/q4_k.hpp"
#include "ml/quant/q5_k.hpp"
#include "ml/quant/q6_k.hpp"
#include "ml/quant/q8_0.hpp"

namespace notso::ml::quant {
namespace {

template <class Block>
constexpr PackFields fields_of(PackFields fields) {
    fields.block_bytes = sizeof(Block);
    return fields;
}

constexpr PackFields kFieldsQ4_0 = fields_of<BlockQ4_0>({0, {{2, 1}, {4, 4}}});
constexpr PackFields kFieldsQ4_1 = fields_of<BlockQ4_1>({0, {{2, 2}, {4, 4}}});
constexpr PackFields kFieldsQ8_0 = fields_of<BlockQ8_0>({0, {{2, 1}, {4, 8}}});
constexpr PackFields kFieldsQ4_K = fields_of<BlockQ4_K>({0, {{2, 2}, {1, 12}, {4, 32}}});
constexpr PackFields kFieldsQ5_K = fields_of<BlockQ5_K>({0, {{2, 2}, {1, 12}, {4, 40}}});
constexpr PackFields kFieldsQ6_K = fields_of<BlockQ6_K>({0, {{4, 48}, {1, 16}, {2, 1}}});

/// Copies one field of every row of a block into its place in the tile.
template <std::size_t kBytes>
void pack_field(const std::byte* from, std::size_t n_rows, std::size_t row_bytes, std::byte* to) {
    for (std::size_t row = 0; row < n_rows; ++row)
        std::memcpy(to + row * kBytes, from + row * row_bytes, kBytes);
}

/// Calls f(offset in the block, bytes) for every field; bytes is a constant.
template <class F>
void for_each_field(const PackFields& fields, F&& f) {
    std::size_t offset = 0;
    const auto run_of = [&]<std::size_t kBytes>(std::size_t count,
                                                std::integral_constant<std::size_t, kBytes> bytes) {
        for (std::size_t i = 0; i < count; ++i, offset += kBytes) f(offset, bytes);
    };
    for (const PackFields::Run& run : fields.runs) {
        if (run.field_bytes == 1) run_of(run.count, std::integral_constant<std::size_t, 1>());
        if (run.field_bytes == 2) run_of(run.count, std::integral_constant<std::size_t, 2>());
        if (run.field_bytes == 4) run_of(run.count, std::integral_constant<std::size_t, 4>());
    }
}

}  // namespace

const PackFields* find_pack_fields(gguf::TensorType type) noexcept {
    using enum gguf::TensorType;
    switch (type) {
        case kQ4_0:
            return &kFieldsQ4_0;
        case kQ4_1:
            return &kFieldsQ4_1;
        case kQ8_0:
            return &kFieldsQ8_0;
        case kQ4_K:
            return &kFieldsQ4_K;
        case kQ5_K:
            return &kFieldsQ5_K;
        case kQ6_K:
            return &kFieldsQ6_K;
        default:
            return nullptr;
    }
}

void pack_rows(const PackFields& fields,
               const std::byte* rows,
               std::size_t n_rows,
               std::size_t row_bytes,
               std::byte* panel) noexcept {
    if (n_rows < kPackRows) std::memset(panel, 0, kPackRows * row_bytes);
    for (std::size_t at = 0; at < row_bytes; at += fields.block_bytes) {
        for_each_field(fields, [&](std::size_t offset, auto bytes) {
            std::byte* field = panel + (at + offset) * kPackRows;
            pack_field<bytes()>(rows + at + offset, n_rows, row_bytes, field);
        });
    }
}

void unpack_row(const PackFields& fields,
                const std::byte* panel,
                std::size_t index,
                std::size_t row_bytes,
                std::byte* row) noexcept {
    for (std::size_t at = 0; at < row_bytes; at += fields.block_bytes) {
        for_each_field(fields, [&](std::size_t offset, auto bytes) {
            std::memcpy(
                row + at + offset, panel + (at + offset) * kPackRows + index * bytes, bytes);
        });
    }
}

}  // namespace notso::ml::quant

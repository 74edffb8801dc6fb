// Parser of the GGUF header. The file is hostile: no count is believed before it was compared with
// the bytes that are left, no sum or product is formed that could wrap, no memory is reserved on a
// claim alone.
#include "ml/gguf/header.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "ml/gguf/cursor.hpp"
#include "ml/gguf/value.hpp"

namespace notso::ml::gguf {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint64_t kMaxKeyLength = 65'535;
constexpr std::uint64_t kMaxNameLength = 63;
constexpr std::uint32_t kMaxDims = 4;
constexpr std::uint64_t kMinAlignment = 8;
constexpr std::uint64_t kMaxAlignment = 1 << 20;
// Far above any real model; keeps what a small hostile file can make us allocate small.
constexpr std::uint64_t kMaxKeys = 65'536;
constexpr std::uint64_t kMaxTensors = 65'536;
// Smallest encodings: key length + 1 byte of key + type + 1 byte of value; name length + 1 byte +
// dims + 1 dim + type + offset.
constexpr std::uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;
constexpr std::uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

/// Names are compared, shown and logged: UTF-8 without control characters.
Result<> check_name(std::string_view name, std::string_view kind, std::uint64_t at) {
    bool control = false;
    bool ascii = true;  // decoding the UTF-8 of many long names takes long
    for (const char c : name) {
        control |= static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
        ascii &= static_cast<unsigned char>(c) < 0x80;
    }
    if (name.empty()) {
        return fail(ErrorCode::kCorruptData, "{} at byte {} has no name", kind, at);
    }
    if (!control && (ascii || is_valid_utf8(name))) return {};
    return fail(ErrorCode::kCorruptData,
                "{} at byte {} has the name {}, which is not UTF-8 without control characters",
                kind,
                at,
                log::field(name));
}

Result<KeyValue> read_key_value(Cursor& in, std::uint64_t index) {
    KeyValue item;
    item.file_offset = in.offset();
    NOTSO_TRY(item.key, in.read_string(fmt::format("the name of key {}", index), kMaxKeyLength));
    NOTSO_CHECK(check_name(item.key, fmt::format("key {}", index), item.file_offset));
    const std::string what = fmt::format("key {}", log::field(item.key));
    NOTSO_TRY(item.value, read_value(in, what));
    return item;
}

/// Refuses two entries of one name. `name_of` gives the name of entry i, `offset_of` its place in
/// the file.
template <class NameOf, class OffsetOf>
Result<> refuse_duplicates(std::size_t count,
                           const char* kind,
                           NameOf name_of,
                           OffsetOf offset_of) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, name_of);
    const auto twin = std::ranges::adjacent_find(order, {}, name_of);
    if (twin == order.end()) return {};
    return fail(ErrorCode::kCorruptData,
                "{} {} is there twice, at byte {} and at byte {}",
                kind,
                log::field(name_of(*twin)),
                offset_of(*twin),
                offset_of(*std::next(twin)));
}

Result<std::uint64_t> alignment_of(std::span<const KeyValue> metadata) {
    for (const KeyValue& item : metadata) {
        if (item.key != "general.alignment") continue;
        const auto* value = std::get_if<std::uint32_t>(&item.value);
        if (value == nullptr || !std::has_single_bit(*value) || *value < kMinAlignment ||
            *value > kMaxAlignment) {
            return fail(
                ErrorCode::kCorruptData,
                "key \"general.alignment\" at byte {} is not a u32 power of two from {} to {}",
                item.file_offset,
                kMinAlignment,
                kMaxAlignment);
        }
        return *value;
    }
    return kDefaultAlignment;
}

/// Bytes of a tensor, or an error when shape and type don't fit together or the product wraps.
Result<std::uint64_t> tensor_bytes(const TensorInfo& info, std::string_view what) {
    const auto layout = block_layout(info.type);
    if (!layout) {
        return fail(ErrorCode::kCorruptData,
                    "{} has the unknown type {}",
                    what,
                    std::to_underlying(info.type));
    }
    std::uint64_t elements = 1;
    for (const std::uint64_t dim : info.shape) {
        if (dim == 0) return fail(ErrorCode::kCorruptData, "{} has a dimension of 0", what);
        if (__builtin_mul_overflow(elements, dim, &elements)) {
            return fail(ErrorCode::kCorruptData,
                        "{} has the shape [{}]: more elements than 2^64",
                        what,
                        fmt::join(info.shape, ", "));
        }
    }
    if (info.shape.front() % layout->elements != 0) {
        return fail(ErrorCode::kCorruptData,
                    "{} has {} columns, which do not fill blocks of {} ({})",
                    what,
                    info.shape.front(),
                    layout->elements,
                    layout->name);
    }
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(elements / layout->elements, std::uint64_t{layout->bytes}, &bytes)) {
        return fail(ErrorCode::kCorruptData, "{} has more than 2^64 bytes", what);
    }
    return bytes;
}

Result<TensorInfo> read_tensor_info(Cursor& in, std::uint64_t index) {
    TensorInfo info;
    const std::uint64_t at = in.offset();
    NOTSO_TRY(const auto name,
              in.read_string(fmt::format("the name of tensor {}", index), kMaxNameLength));
    NOTSO_CHECK(check_name(name, fmt::format("tensor {}", index), at));
    info.name = name;
    info.entry_offset = at;
    const std::string what = fmt::format("tensor {} at byte {}", log::field(name), at);
    NOTSO_TRY(const auto n_dims, in.read<std::uint32_t>(what));
    if (n_dims < 1 || n_dims > kMaxDims) {
        return fail(
            ErrorCode::kCorruptData, "{} has {} dimensions, not 1 to {}", what, n_dims, kMaxDims);
    }
    for (std::uint32_t i = 0; i < n_dims; ++i) {
        NOTSO_TRY(const auto dim, in.read<std::uint64_t>(what));
        info.shape.push_back(dim);
    }
    NOTSO_TRY(const auto type, in.read<std::uint32_t>(what));
    info.type = static_cast<TensorType>(type);
    NOTSO_TRY(info.offset, in.read<std::uint64_t>(what));
    NOTSO_TRY(info.bytes, tensor_bytes(info, what));
    return info;
}

/// Turns offsets into absolute ones and checks that every tensor lies inside the file.
Result<> place_tensors(Header& header, std::uint64_t header_end, std::uint64_t file_size) {
    // Can't wrap: header_end is at most the size of a real file.
    const std::uint64_t start = (header_end + header.alignment - 1) & ~(header.alignment - 1);
    const std::uint64_t room = start <= file_size ? file_size - start : 0;
    for (TensorInfo& info : header.tensors) {
        const std::string name = log::field(info.name);
        if (info.offset % header.alignment != 0) {
            return fail(ErrorCode::kCorruptData,
                        "tensor {} at byte {}: offset {} is not a multiple of the alignment {}",
                        name,
                        info.entry_offset,
                        info.offset,
                        header.alignment);
        }
        if (info.offset > room || info.bytes > room - info.offset) {
            return fail(ErrorCode::kCorruptData,
                        "tensor {} needs {} bytes from offset {} of the data, which begins at byte "
                        "{} of a file of "
                        "{}: the file is cut short or its header is wrong",
                        name,
                        info.bytes,
                        info.offset,
                        start,
                        file_size);
        }
        info.offset += start;
    }
    return {};
}

Result<> refuse_overlap(std::span<const TensorInfo> tensors) {
    std::vector<const TensorInfo*> order;
    for (const TensorInfo& info : tensors) order.push_back(&info);
    std::ranges::sort(order, {}, &TensorInfo::offset);
    for (std::size_t i = 1; i < order.size(); ++i) {
        const TensorInfo& before = *order[i - 1];
        if (before.offset + before.bytes <= order[i]->offset) continue;
        return fail(ErrorCode::kCorruptData,
                    "tensor {} at byte {} overlaps tensor {} at byte {}",
                    log::field(order[i]->name),
                    order[i]->offset,
                    log::field(before.name),
                    before.offset);
    }
    return {};
}

struct Counts {
    std::uint64_t tensors;
    std::uint64_t keys;
};

Result<Counts> read_start(Cursor& in, Header& header) {
    NOTSO_TRY(const auto magic, in.read<std::uint32_t>("the magic number"));
    if (magic != kMagic) {
        return fail(ErrorCode::kCorruptData, "not a GGUF file: it does not begin with \"GGUF\"");
    }
    NOTSO_TRY(header.version, in.read<std::uint32_t>("the version"));
    if (header.version != 2 && header.version != 3) {
        const bool swapped = header.version != 0 && (header.version & 0xFFFF) == 0;
        return fail(ErrorCode::kCorruptData,
                    "version {} at byte 4 is not 2 or 3{}",
                    header.version,
                    swapped ? ": a big-endian file, convert it first" : "");
    }
    Counts counts{};
    NOTSO_TRY(counts.tensors, in.read<std::uint64_t>("the tensor count"));
    NOTSO_TRY(counts.keys, in.read<std::uint64_t>("the key count"));
    if (counts.keys > in.left() / kMinKeyBytes || counts.keys > kMaxKeys) {
        return fail(
            ErrorCode::kCorruptData,
            "{} keys at byte 16 are impossible: {} bytes are left, at most {} keys are allowed",
            counts.keys,
            in.left(),
            kMaxKeys);
    }
    if (counts.tensors > in.left() / kMinTensorBytes || counts.tensors > kMaxTensors) {
        return fail(ErrorCode::kCorruptData,
                    "{} tensors at byte 8 are impossible: {} bytes are left, at most {} tensors "
                    "are allowed",
                    counts.tensors,
                    in.left(),
                    kMaxTensors);
    }
    return counts;
}

Result<Header> parse(Cursor& in, std::uint64_t file_size) {
    Header header;
    NOTSO_TRY(const auto counts, read_start(in, header));
    for (std::uint64_t i = 0; i < counts.keys; ++i) {
        NOTSO_TRY(auto item, read_key_value(in, i));
        header.metadata.push_back(std::move(item));
    }
    NOTSO_CHECK(refuse_duplicates(
        header.metadata.size(),
        "key",
        [&](std::size_t i) { return header.metadata[i].key; },
        [&](std::size_t i) { return header.metadata[i].file_offset; }));
    NOTSO_TRY(header.alignment, alignment_of(header.metadata));
    for (std::uint64_t i = 0; i < counts.tensors; ++i) {
        NOTSO_TRY(auto info, read_tensor_info(in, i));
        header.tensors.push_back(std::move(info));
    }
    NOTSO_CHECK(refuse_duplicates(
        header.tensors.size(),
        "tensor",
        [&](std::size_t i) { return std::string_view(header.tensors[i].name); },
        [&](std::size_t i) { return header.tensors[i].entry_offset; }));
    NOTSO_CHECK(place_tensors(header, in.offset(), file_size));
    NOTSO_CHECK(refuse_overlap(header.tensors));
    return header;
}

}  // namespace

ParseOutcome parse_header(std::span<const std::byte> bytes, std::uint64_t file_size) {
    Cursor in(bytes, file_size);
    auto header = parse(in, file_size);
    const std::uint64_t wanted = header ? 0 : in.wanted();
    return {std::move(header), wanted};
}

}  // namespace notso::ml::gguf

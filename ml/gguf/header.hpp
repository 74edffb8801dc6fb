// The header of a GGUF file, parsed from memory: metadata and the list of tensors, with every
// number checked. Works on any bytes (tests and fuzzers feed it directly); file.cpp adds the file
// around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"

namespace notso::ml::gguf {

/// Where a tensor lies; `offset` and `bytes` are already checked against the size of the file.
struct TensorInfo {
    std::string name;
    TensorType type;
    std::vector<std::uint64_t> shape;
    std::uint64_t offset;  ///< From the start of the file.
    std::uint64_t bytes;
    std::uint64_t entry_offset = 0;  ///< Where the header lists it, for messages.
};

/// Views point into the bytes that were parsed.
struct Header {
    std::uint32_t version = 0;
    std::uint64_t alignment = 0;
    std::vector<KeyValue> metadata;
    std::vector<TensorInfo> tensors;
};

/// What parsing the first bytes of a file led to: a header, or an error, or the wish for more
/// bytes.
struct ParseOutcome {
    Result<Header> header;
    std::uint64_t wanted =
        0;  ///< Not 0: at least this many bytes of the file must be in memory; try again.
};

/// Parses a header. @param bytes  the start of the file; @param file_size  bytes of the whole file.
/// @errors kCorruptData with key or tensor and byte offset. @cost O(bytes), memory under twice the
/// bytes.
ParseOutcome parse_header(std::span<const std::byte> bytes, std::uint64_t file_size);

}  // namespace notso::ml::gguf

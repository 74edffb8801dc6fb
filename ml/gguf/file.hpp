// gguf::File: a model file, mapped and fully checked. Everything in it is hostile until this class has looked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace notso::ml::gguf {

/// Of tensor data where the file names none, bytes.
inline constexpr std::uint64_t kDefaultAlignment = 32;

/// Numbers as in the GGUF format. Types the engine can't run are still listed by name for messages.
enum class TensorType : std::uint32_t {
    kF32 = 0, kF16 = 1, kQ4_0 = 2, kQ4_1 = 3, kQ5_0 = 6, kQ5_1 = 7, kQ8_0 = 8, kQ8_1 = 9,
    kQ2_K = 10, kQ3_K = 11, kQ4_K = 12, kQ5_K = 13, kQ6_K = 14, kQ8_K = 15,
    kIQ2_XXS = 16, kIQ2_XS = 17, kIQ3_XXS = 18, kIQ1_S = 19, kIQ4_NL = 20, kIQ3_S = 21, kIQ2_S = 22, kIQ4_XS = 23,
    kI8 = 24, kI16 = 25, kI32 = 26, kI64 = 27, kF64 = 28, kIQ1_M = 29, kBF16 = 30, kTQ1_0 = 34, kTQ2_0 = 35, kMXFP4 = 39,
};

/// Geometry of a block type: `elements` weights are stored in `bytes` bytes.
struct BlockLayout {
    std::string_view name;  ///< e.g. "Q4_K"
    std::uint32_t elements;
    std::uint32_t bytes;
};

/// Empty for numbers that name no known type.
std::optional<BlockLayout> block_layout(TensorType type) noexcept;

/// One tensor: `data` points into the mapping and is exactly as long as shape and type say.
struct Tensor {
    std::string name;
    TensorType type;
    std::vector<std::uint64_t> shape;  ///< GGUF order: shape[0] is the contiguous dimension (columns).
    std::uint64_t file_offset;         ///< Bytes from the start of the file.
    std::span<const std::byte> data;
};

struct Array;
using Value = std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t,
                           float, bool, std::string_view, std::uint64_t, std::int64_t, double, Array>;

/// An array value; elements are read from the mapping on demand. Nested arrays are refused.
struct Array {
    std::uint32_t element_type = 0;  ///< GGUF value type number.
    std::uint64_t count = 0;
    std::span<const std::byte> data;  ///< Checked: holds all elements (string arrays with their lengths).
};

struct KeyValue {
    std::string_view key;
    Value value;
    std::uint64_t file_offset;
};

class File {
  public:
    /// Maps the file and checks every count, length, offset and type against the bytes that are there.
    /// @errors kNotFound, kPermissionDenied, kIo; kCorruptData with key or tensor name and byte offset.
    /// @cost O(header); does not touch tensor data. ≤ 200 ms for any malformed file.
    static Result<std::shared_ptr<const File>> open(const std::filesystem::path& path);

    virtual ~File() = default;

    virtual const std::filesystem::path& path() const = 0;
    virtual std::uint64_t size_bytes() const = 0;
    virtual std::uint32_t version() const = 0;
    virtual std::span<const KeyValue> metadata() const = 0;
    virtual std::span<const Tensor> tensors() const = 0;
    virtual const KeyValue* find(std::string_view key) const = 0;
    virtual const Tensor* find_tensor(std::string_view name) const = 0;

    /// Tensor data lies in a mapping: reading bytes that someone cut off the file meanwhile kills the process.
    /// Call this before reading much, and after. @errors kIo when the file is not what it was when it was opened:
    /// another length, or written to.
    virtual Result<> check_whole() const = 0;

    /// Copies bytes by read(2), which can't fault. @errors kIo naming the file when they are not there any more.
    virtual Result<> read(std::uint64_t offset, std::span<std::byte> out) const = 0;

    // Typed access. A missing key gives an empty optional; a key of another type gives kCorruptData naming the key.
    // Integer keys accept every integer type whose value fits.
    virtual Result<std::optional<std::uint64_t>> get_uint(std::string_view key) const = 0;
    virtual Result<std::optional<double>> get_float(std::string_view key) const = 0;
    virtual Result<std::optional<bool>> get_bool(std::string_view key) const = 0;
    virtual Result<std::optional<std::string_view>> get_string(std::string_view key) const = 0;
    virtual Result<std::optional<std::vector<std::string_view>>> get_strings(std::string_view key) const = 0;
    virtual Result<std::optional<std::vector<std::int64_t>>> get_ints(std::string_view key) const = 0;
};

/// For messages: "key NAME at byte N"; without the place when the file has no such key.
std::string key_label(const File& file, std::string_view key);

}  // namespace notso::ml::gguf

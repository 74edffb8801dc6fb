// Cursor: reads little-endian values from the first bytes of a file, never past what is there.
// It knows two lengths: the bytes in memory and the bytes in the file. Counts are judged against
// the file; running past memory only means that more of the file has to be read first (`wanted()`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"

namespace notso::ml::gguf {

/// Not thread-safe. After a failure the position is where the failing value begins.
class Cursor {
  public:
    /// @param bytes      The start of the file, as far as it is in memory.
    /// @param file_size  Bytes of the whole file, at least bytes.size().
    Cursor(std::span<const std::byte> bytes, std::uint64_t file_size) noexcept
        : bytes_(bytes), file_size_(file_size) {}

    std::uint64_t offset() const noexcept { return offset_; }
    /// Bytes between the position and the end of the file.
    std::uint64_t left() const noexcept { return file_size_ - offset_; }
    /// Bytes from the start of the file that a failed read needed although the file has them; else
    /// 0.
    std::uint64_t wanted() const noexcept { return wanted_; }

    /// The bytes between an earlier position and this one.
    std::span<const std::byte> since(std::uint64_t start) const noexcept {
        return bytes_.subspan(start, offset_ - start);
    }

    /// Takes `size` bytes. `what` names them in the error.
    /// @errors kCorruptData with the byte offset when the file ends before.
    Result<std::span<const std::byte>> take(std::uint64_t size, std::string_view what);

    template <class T>
        requires std::is_arithmetic_v<T>
    Result<T> read(std::string_view what) {
        NOTSO_TRY(const auto raw, take(sizeof(T), what));
        T value;
        std::memcpy(&value, raw.data(), sizeof(T));
        return value;
    }

    /// A u64 length and that many bytes, at most `max_length`.
    Result<std::string_view> read_string(std::string_view what, std::uint64_t max_length);

    /// Steps over up to `count` strings (a u64 length and that many bytes each) and stops before
    /// the first that is not whole or not in memory. @return how many it passed.
    std::uint64_t skip_strings(std::uint64_t count) noexcept;

  private:
    std::span<const std::byte> bytes_;
    std::uint64_t file_size_;
    std::uint64_t offset_ = 0;
    std::uint64_t wanted_ = 0;
};

}  // namespace notso::ml::gguf

#include "ml/gguf/cursor.hpp"

#include <bit>

namespace notso::ml::gguf {

static_assert(std::endian::native == std::endian::little,
              "values are copied as they lie in the file");

Result<std::span<const std::byte>> Cursor::take(std::uint64_t size, std::string_view what) {
    if (size > left()) {
        return fail(ErrorCode::kCorruptData,
                    "the file ends inside {} at byte {}: {} bytes needed, {} left",
                    what,
                    offset_,
                    size,
                    left());
    }
    const std::uint64_t end = offset_ + size;  // can't wrap: size <= left()
    if (end > bytes_.size()) {
        wanted_ = end;
        return fail(ErrorCode::kCorruptData, "{} at byte {} is not in memory", what, offset_);
    }
    const auto taken = bytes_.subspan(offset_, size);
    offset_ = end;
    return taken;
}

Result<std::string_view> Cursor::read_string(std::string_view what, std::uint64_t max_length) {
    const std::uint64_t start = offset_;
    NOTSO_TRY(const auto length, read<std::uint64_t>(what));
    if (length > left() || length > max_length) {
        return fail(ErrorCode::kCorruptData,
                    "the length {} of {} at byte {} is impossible: {} bytes are left, at most {} "
                    "are allowed",
                    length,
                    what,
                    start,
                    left(),
                    max_length);
    }
    NOTSO_TRY(const auto raw, take(length, what));
    return std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size());
}

std::uint64_t Cursor::skip_strings(std::uint64_t count) noexcept {
    std::uint64_t passed = 0;
    for (; passed < count; ++passed) {
        std::uint64_t length = 0;
        const std::uint64_t here = bytes_.size() - offset_;
        if (here < sizeof length) break;
        std::memcpy(&length, bytes_.data() + offset_, sizeof length);
        if (length > here - sizeof length) break;
        offset_ += sizeof length + length;
    }
    return passed;
}

}  // namespace notso::ml::gguf

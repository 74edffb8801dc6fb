#include "services/archive/base64.hpp"

#include <array>
#include <cstdint>

namespace notso::services {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values() {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < kDigits.size(); ++i)
        values.at(static_cast<unsigned char>(kDigits[i])) = static_cast<std::int8_t>(i);
    return values;
}

constexpr std::array<std::int8_t, 256> kValues = make_values();

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group =
            byte_at(bytes, i) << 16U | byte_at(bytes, i + 1) << 8U | byte_at(bytes, i + 2);
        const std::size_t n_digits = std::min<std::size_t>(bytes.size() - i, 3) + 1;
        for (std::size_t digit = 0; digit < 4; ++digit)
            out += digit < n_digits ? kDigits[(group >> (18 - 6 * digit)) & 63U] : '=';
    }
    return out;
}

Result<std::string> from_base64(std::string_view text) {
    const auto wrong = fail(ErrorCode::kInvalidArgument, "is no base64");
    if (text.size() % 4 != 0) return wrong;
    std::size_t padding = 0;
    while (padding < 2 && text.ends_with('=')) {
        text.remove_suffix(1);
        ++padding;
    }
    std::string out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::int8_t value = kValues.at(static_cast<unsigned char>(text[i]));
        if (value < 0) return wrong;
        group = group << 6U | static_cast<std::uint32_t>(value);
        if (i % 4 == 1) out += static_cast<char>(group >> 4U);
        if (i % 4 == 2) out += static_cast<char>(group >> 2U);
        if (i % 4 == 3) out += static_cast<char>(group);
    }
    return out;
}

}  // namespace notso::services

#include "services/attachments/file_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <system_error>

#include "base/utf8.hpp"
#include "services/attachments/pdf_text.hpp"
#include "services/session/attachment_store.hpp"

namespace notso::services {
namespace {

using namespace std::string_view_literals;

constexpr std::chrono::seconds kPdfPatience{30};
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

// What Windows-1252 has where Latin-1 has control characters; 0 = nothing.
constexpr std::array<char32_t, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

std::unexpected<Error> no_text() {
    return fail(ErrorCode::kUnsupported,
                "it is neither text nor a PDF: text and code of any kind and PDF files can be "
                "attached, pictures and other files can't");
}

char32_t unit_at(std::string_view bytes, std::size_t at, bool big_end_first) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<char32_t>(big_end_first ? (first << 8U) | second : (second << 8U) | first);
}

/// Halves of pairs become U+FFFD.
std::string from_utf16(std::string_view bytes, bool big_end_first) {
    std::string out;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        char32_t c = unit_at(bytes, i, big_end_first);
        const bool high = c >= 0xD800 && c < 0xDC00;
        if (high && i + 3 < bytes.size()) {
            const char32_t low = unit_at(bytes, i + 2, big_end_first);
            if (low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10U) + (low - 0xDC00);
                i += 2;
            }
        }
        append_utf8(out, c);
    }
    if (bytes.size() % 2 != 0) append_utf8(out, U'\uFFFD');
    return out;
}

bool is_control(char byte) {
    constexpr std::string_view kInTexts = "\t\n\v\f\r\x1b";
    const auto value = static_cast<unsigned char>(byte);
    return (value < 0x20 && !kInTexts.contains(byte)) || value == 0x7F;
}

std::optional<std::string> from_windows_1252(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        const bool special = value >= 0x80 && value < 0xA0;
        const char32_t c = special ? kWindows1252.at(value - 0x80U) : value;
        if (is_control(byte) || c == 0) return std::nullopt;
        append_utf8(out, c);
    }
    return out;
}

Result<FileText> plain_text(std::string_view bytes) {
    FileText file{.media_type = "text/plain"};
    if (bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv)) {
        file.text = from_utf16(bytes.substr(2), bytes.front() == '\xFE');
    } else if (!is_valid_utf8(bytes)) {
        file.text = from_windows_1252(bytes);
        if (!file.text) return no_text();
    } else if (bytes.starts_with(kUtf8Mark)) {
        file.text = bytes.substr(kUtf8Mark.size());
    }
    const std::string_view text = file.text ? *file.text : bytes;
    if (text.contains('\0')) return no_text();
    if (text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos)
        return fail(ErrorCode::kUnsupported, "it is empty");
    if (std::ssize(text) > kMaxAttachmentBytes)
        return fail(ErrorCode::kTooLarge, "as UTF-8 it has more than 20 MiB of text");
    return file;
}

Result<FileText> read_pdf(std::string_view bytes, const std::filesystem::path& scratch) {
    std::ofstream copy(scratch, std::ios::binary);
    copy.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    copy.close();
    Result<std::string> text = fail(ErrorCode::kIo, "it can't be stored: free some disk space");
    if (copy)
        text = pdf_text(scratch,
                        {.max_text_bytes = static_cast<std::size_t>(kMaxAttachmentBytes),
                         .deadline = SteadyClock::now() + kPdfPatience});
    std::error_code ignored;
    std::filesystem::remove(scratch, ignored);
    if (!text) return std::unexpected(std::move(text).error());
    return FileText{"application/pdf", *std::move(text)};
}

}  // namespace

Result<FileText> text_of_file(std::string_view bytes, const std::filesystem::path& scratch) {
    if (is_pdf(bytes)) return read_pdf(bytes, scratch);
    return plain_text(bytes);
}

}  // namespace notso::services

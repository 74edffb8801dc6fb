#include "web/http/url.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace notso::web {
namespace {

constexpr std::size_t kMaxFields = 1000;

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

enum class Encoding { kPath, kForm };

bool is_allowed(char c, Encoding encoding) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    if (encoding == Encoding::kForm && (c == '\t' || c == '\r' || c == '\n')) return true;
    return byte >= 0x20 && byte != 0x7F;
}

Result<std::string> decode(std::string_view text, Encoding encoding) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '+' && encoding == Encoding::kForm) c = ' ';
        if (c == '%') {
            const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return fail(ErrorCode::kInvalidArgument,
                            "'%' at byte {} is not followed by two hex digits",
                            i);
            }
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (!is_allowed(c, encoding)) {
            return fail(ErrorCode::kInvalidArgument, "control character before byte {}", i + 1);
        }
        out += c;
    }
    if (!is_valid_utf8(out))
        return fail(ErrorCode::kInvalidArgument, "the decoded text is not UTF-8");
    return out;
}

}  // namespace

Result<Target> split_target(std::string_view target) {
    Target parts;
    if (const auto scheme = target.find("://");
        !target.starts_with('/') && scheme != std::string_view::npos) {
        const std::string name = to_lower(target.substr(0, scheme));
        if (name != "http" && name != "https")
            return fail(ErrorCode::kInvalidArgument, "the target is no http URL");
        target.remove_prefix(scheme + 3);
        const auto end = std::min(target.find_first_of("/?"), target.size());
        parts.authority = target.substr(0, end);
        target.remove_prefix(end);
        if (parts.authority.empty())
            return fail(ErrorCode::kInvalidArgument, "the target names no host");
        if (target.empty() || target.front() == '?') {
            parts.path = "/";
            parts.query = target.empty() ? target : target.substr(1);
            return parts;
        }
    }
    if (!target.starts_with('/'))
        return fail(ErrorCode::kInvalidArgument, "the target must start with '/'");
    const auto mark = std::min(target.find('?'), target.size());
    parts.path = target.substr(0, mark);
    if (mark < target.size()) parts.query = target.substr(mark + 1);
    return parts;
}

Result<std::string> decode_path(std::string_view text) { return decode(text, Encoding::kPath); }

Result<std::map<std::string, std::string>> parse_form(std::string_view text) {
    std::map<std::string, std::string> fields;
    std::size_t count = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const std::string_view pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) continue;
        if (++count > kMaxFields)
            return fail(ErrorCode::kTooLarge, "more than {} fields", kMaxFields);
        const auto equals = std::min(pair.find('='), pair.size());
        NOTSO_TRY(auto name, decode(pair.substr(0, equals), Encoding::kForm));
        NOTSO_TRY(auto value,
                  decode(pair.substr(std::min(equals + 1, pair.size())), Encoding::kForm));
        fields.emplace(std::move(name), std::move(value));
    }
    return fields;
}

std::string media_type(std::string_view content_type) {
    return to_lower(trim(content_type.substr(0, content_type.find(';'))));
}

std::string to_lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), lower);
    return out;
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool has_token(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        if (to_lower(trim(list.substr(0, end))) == token) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

}  // namespace notso::web

// See markdown_links.hpp.
#include "services/template/markdown_links.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/utf8.hpp"
#include "services/template/markdown.hpp"

namespace notso::services {
namespace {

// Numeric references; zero and what is no character become U+FFFD.
std::optional<char32_t> numeric_entity(std::string_view entity) {
    if (!entity.starts_with("&#") || !entity.ends_with(';')) return std::nullopt;
    entity = entity.substr(2, entity.size() - 3);
    const bool hex = entity.starts_with('x') || entity.starts_with('X');
    if (hex) entity.remove_prefix(1);
    std::uint32_t number = 0;
    const auto read =
        std::from_chars(entity.data(), entity.data() + entity.size(), number, hex ? 16 : 10);
    if (read.ec == std::errc::invalid_argument || read.ptr != entity.data() + entity.size())
        return std::nullopt;
    const bool character = read.ec == std::errc{} && number != 0 && number <= 0x10FFFF;
    return character ? static_cast<char32_t>(number) : char32_t{0xFFFD};
}

bool starts_with_scheme(std::string_view address, std::string_view scheme) {
    return address.size() > scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), address.begin(), [](char want, char have) {
               return want == (have >= 'A' && have <= 'Z' ? static_cast<char>(have | 0x20) : have);
           });
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
}

std::string escape_html(std::string_view text) {
    std::string out;
    append_escaped(out, text);
    return out;
}

void append_entity(std::string& out, std::string_view entity) {
    if (const auto number = numeric_entity(entity)) {
        std::string character;
        append_utf8(character, *number);
        append_escaped(out, character);
        return;
    }
    const auto name = entity.substr(1, entity.size() < 2 ? 0 : entity.size() - 2);
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
    if (plain && entity.starts_with('&') && entity.ends_with(';')) {
        out += entity;  // the browser knows the names
    } else {
        append_escaped(out, entity);
    }
}

std::string decode_entity(std::string_view entity) {
    std::string out;
    if (const auto number = numeric_entity(entity)) {
        append_utf8(out, *number);
        return out;
    }
    if (entity == "&amp;") return "&";
    if (entity == "&lt;") return "<";
    if (entity == "&gt;") return ">";
    if (entity == "&quot;") return "\"";
    if (entity == "&apos;") return "'";
    return std::string(entity);
}

std::string safe_address(std::string_view address) {
    constexpr std::string_view kSchemes[] = {"http://", "https://", "mailto:"};
    const bool allowed =
        std::any_of(std::begin(kSchemes), std::end(kSchemes), [&](std::string_view scheme) {
            return starts_with_scheme(address, scheme);
        });
    if (!allowed) return {};
    constexpr std::string_view kPlain = "-_.~!*'();:@&=+$,/?#%";
    std::string out;
    for (const char c : address) {
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || kPlain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

}  // namespace notso::services

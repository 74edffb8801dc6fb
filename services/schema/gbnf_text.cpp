// See gbnf_text.hpp.
#include "services/schema/gbnf_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::string_view kJsonRules = R"(
ws ::= (" " | "\n" " "{0,20})?
sp ::= " "?
char ::= [^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" ([0-9a-cA-Ce-fE-F] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))
string ::= "\"" char* "\""
integer ::= "-"? ("0" | [1-9] [0-9]{0,14})
number ::= "-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?
boolean ::= "true" | "false"
any ::= any-object | any-array | string | number | "true" | "false" | "null"
any-object ::= "{" ws (string ":" sp any ("," ws string ":" sp any)* ws)? "}"
any-array ::= "[" ws (any ("," ws any)* ws)? "]"
)";

void append_class_member(std::string& out, char32_t c) {
    if (c < 0x20 || c == 0x7F) {
        out += fmt::format("\\x{:02X}", static_cast<std::uint32_t>(c));
    } else if (c == ']' || c == '[' || c == '\\' || c == '^' || c == '-') {
        out += '\\';
        out += static_cast<char>(c);
    } else if (c < 0x7F) {
        out += static_cast<char>(c);
    } else {
        out += fmt::format("\\U{:08X}", static_cast<std::uint32_t>(c));
    }
}

/// What JSON writes with a backslash and something shorter than \u.
constexpr std::pair<char32_t, std::string_view> kEscapes[] = {
    {U'"', R"(\")"}, {U'\\', R"(\\)"}, {U'\n', R"(\n)"}, {U'\t', R"(\t)"}, {U'\r', R"(\r)"}};

bool contains(const std::vector<CodeRange>& ranges, char32_t c) {
    return std::ranges::any_of(
        ranges, [c](const CodeRange& range) { return c >= range.first && c <= range.second; });
}

void append_number(std::string& out, double number) {
    const bool is_whole = std::abs(number) < 1e15 && number == std::floor(number);
    out += is_whole ? fmt::format("{:.0f}", number) : fmt::format("{}", number);
}

void append_value(std::string& out, const json::value& value) {
    if (value.is_double()) return append_number(out, value.get_double());
    if (value.is_array()) {
        out += '[';
        for (const json::value& item : value.get_array()) {
            if (out.back() != '[') out += ',';
            append_value(out, item);
        }
        out += ']';
    } else if (value.is_object()) {
        out += '{';
        for (const auto& [key, member] : value.get_object()) {
            if (out.back() != '{') out += ',';
            out += json::serialize(json::value(key)) + ':';
            append_value(out, member);
        }
        out += '}';
    } else {
        out += json::serialize(value);
    }
}

}  // namespace

std::string gbnf_literal(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            out += fmt::format("\\x{:02X}", byte);
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string gbnf_json_characters(const std::vector<CodeRange>& ranges) {
    std::string inside;
    const auto add = [&](char32_t first, char32_t last) {
        if (first > last) return;
        append_class_member(inside, first);
        if (first == last) return;
        inside += '-';
        append_class_member(inside, last);
    };
    for (const auto& [begin, end] : ranges) {
        char32_t first = std::max<char32_t>(begin, 0x20);
        for (const char32_t escaped : {U'"', U'\\'}) {
            if (escaped < first || escaped > end) continue;
            add(first, escaped - 1);
            first = escaped + 1;
        }
        if (first <= end) add(first, end);
    }
    std::vector<std::string> ways;
    if (!inside.empty()) ways.push_back('[' + inside + ']');
    for (const auto& [c, written] : kEscapes)
        if (contains(ranges, c)) ways.push_back(gbnf_literal(written));
    if (ways.empty()) {
        for (char32_t c = 0; c < 0x20; ++c)
            if (contains(ranges, c))
                ways.push_back(
                    gbnf_literal(fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c))));
    }
    if (ways.size() == 1) return ways.front();
    return ways.empty() ? "" : fmt::format("({})", fmt::join(ways, " | "));
}

std::string json_text(const json::value& value) {
    std::string out;
    append_value(out, value);
    return out;
}

std::string gbnf_json_value(const json::value& value) { return gbnf_literal(json_text(value)); }

std::string_view json_rules() { return kJsonRules; }

}  // namespace notso::services

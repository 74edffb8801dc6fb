// Calls written as JSON. See tool_call_text.hpp.
#include "services/backend/tool_call_text.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxCallDepth = 64;
constexpr std::size_t kMaxListedCalls = 64;

std::string_view without_blanks(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
    return text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
}

std::optional<json::value> parse_call_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = kMaxCallDepth;
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, options);
    return error ? std::nullopt : std::optional(std::move(value));
}

/// Bytes of the value that begins at `at`; the text is known to be JSON.
std::size_t value_size(std::string_view text, std::size_t at) {
    JsonScanner scanner;
    std::size_t end = at;
    if (text[at] == '{' || text[at] == '[') {
        while (end < text.size() && !scanner.complete()) scanner.push(text[end++]);
        return end - at;
    }
    bool escaped = false;
    if (text[at] == '"') {
        for (++end; end < text.size() && (escaped || text[end] != '"'); ++end)
            escaped = !escaped && text[end] == '\\';
        return end + 1 - at;
    }
    return std::min(text.find_first_of(",}] \t\r\n", at), text.size()) - at;
}

/// The text of a member's value in an object that is known to be JSON; the last one of that name,
/// as parsers do.
std::string_view member_text(std::string_view object, std::string_view name) {
    const std::string key = '"' + std::string(name) + '"';
    std::string_view found;
    for (std::size_t at = 1; at < object.size();) {
        at = object.find_first_not_of(" \t\r\n,", at);
        if (at == std::string_view::npos || object[at] != '"') break;
        const std::string_view this_key = object.substr(at, value_size(object, at));
        at = object.find_first_not_of(kWhiteSpace, object.find(':', at + this_key.size()) + 1);
        const std::string_view value = object.substr(at, value_size(object, at));
        if (this_key == key) found = value;
        at += value.size();
    }
    return found;
}

bool offers(std::string_view name, const std::vector<OfferedTool>& tools, bool by_code) {
    return std::ranges::any_of(tools, [&](const OfferedTool& tool) {
        return tool.name == name && tool.by_code == by_code;
    });
}

/// @param text  Of `object`, so that arguments keep their bytes.
std::optional<ParsedToolCall> call_of(const json::object& object,
                                      std::string_view text,
                                      const std::vector<OfferedTool>& tools) {
    if (const json::value* inner = object.if_contains("function");
        inner != nullptr && inner->is_object())
        return call_of(inner->get_object(), member_text(text, "function"), tools);
    const json::value* name = object.if_contains("name");
    if (name == nullptr || !name->is_string() || !offers(name->get_string(), tools, false))
        return {};
    ParsedToolCall call{std::string(name->get_string()), "{}"};
    for (const std::string_view key : {"parameters", "arguments"}) {
        const json::value* value = object.if_contains(key);
        if (value == nullptr) continue;
        if (value->is_object()) {
            call.arguments = std::string(member_text(text, key));
        } else if (const json::string* inside = value->if_string()) {
            const auto parsed = parse_call_json(*inside);
            if (!parsed || !parsed->is_object()) return {};
            call.arguments = std::string(*inside);
        } else {
            return {};
        }
    }
    if (call.arguments.empty()) return {};  // a key written with escapes
    return call;
}

}  // namespace

bool JsonScanner::push(char c) noexcept {
    if (complete_) return true;
    if (in_string_) {
        if (!escaped_ && c == '"') in_string_ = false;
        escaped_ = !escaped_ && c == '\\';
        return true;
    }
    if (depth_ == 0 && c != '{' && c != '[') return kWhiteSpace.contains(c);
    if (c == '"') in_string_ = true;
    if (c == '{' || c == '[') ++depth_;
    if (c == '}' || c == ']') --depth_;
    complete_ = depth_ == 0;
    return true;
}

std::vector<ParsedToolCall> parse_json_calls(std::string_view text,
                                             const std::vector<OfferedTool>& tools) {
    text = without_blanks(text);
    const auto value = parse_call_json(text);
    if (!value) return {};
    if (value->is_object()) {
        auto call = call_of(value->get_object(), text, tools);
        return call ? std::vector{*std::move(call)} : std::vector<ParsedToolCall>();
    }
    if (!value->is_array() || value->get_array().size() > kMaxListedCalls) return {};
    std::vector<ParsedToolCall> calls;
    std::size_t at = 1;
    for (const json::value& item : value->get_array()) {
        at = text.find_first_not_of(" \t\r\n,", at);
        const std::string_view item_text = text.substr(at, value_size(text, at));
        at += item_text.size();
        auto call = item.is_object() ? call_of(item.get_object(), item_text, tools) : std::nullopt;
        if (!call) return {};
        calls.push_back(*std::move(call));
    }
    return calls;
}

std::vector<ParsedToolCall> parse_json_call_list(std::string_view text,
                                                 const std::vector<OfferedTool>& tools) {
    std::vector<ParsedToolCall> calls;
    for (std::size_t at = 0;;) {
        at = text.find_first_not_of(" \t\r\n,;", at);
        if (at == std::string_view::npos) return calls;
        JsonScanner scanner;
        std::size_t end = at;
        while (end < text.size() && !scanner.complete()) {
            if (!scanner.push(text[end++])) return {};
        }
        auto more = parse_json_calls(text.substr(at, end - at), tools);
        if (more.empty() || calls.size() + more.size() > kMaxListedCalls) return {};
        std::ranges::move(more, std::back_inserter(calls));
        at = end;
    }
}

}  // namespace notso::services

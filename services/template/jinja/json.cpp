// JSON as Python's json.dumps writes it (not Boost.JSON's, whose numbers differ); see text.hpp.
#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "services/template/jinja/text.hpp"

namespace notso::services::jinja {
namespace {

void write_unicode_escape(TextBuilder& out, char32_t c) {
    const auto number = static_cast<std::uint32_t>(c);
    if (number < 0x10000) return out.add(fmt::format("\\u{:04x}", number));
    const std::uint32_t rest = number - 0x10000;
    out.add(fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF)));
}

std::string_view short_escape(char32_t c) {
    switch (c) {
        case '"':
            return "\\\"";
        case '\\':
            return "\\\\";
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        case '\b':
            return "\\b";
        case '\f':
            return "\\f";
        default:
            return {};
    }
}

bool needs_number(char32_t c, const JsonStyle& style) {
    if (c < 0x20 || (style.ensure_ascii && c > 0x7E)) return true;
    return style.html_safe && (c == '<' || c == '>' || c == '&' || c == '\'');
}

void write_json_string(TextBuilder& out, std::string_view text, const JsonStyle& style) {
    out.add('"');
    while (!text.empty() && !out.full()) {
        const DecodedCodePoint next = decode_utf8(text);
        if (const auto escape = short_escape(next.value); !escape.empty()) {
            out.add(escape);
        } else if (needs_number(next.value, style)) {
            write_unicode_escape(out, next.value);
        } else {
            out.add(text.substr(0, next.size));
        }
        text.remove_prefix(next.size);
    }
    out.add('"');
}

std::string json_float(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
    return float_repr(number);
}

class JsonWriter {
  public:
    JsonWriter(TextBuilder& out, const JsonStyle& style) : out_(out), style_(style) {}

    Result<void> write(const Value& value) {
        switch (value.type()) {
            case Value::Type::kNone:
                out_.add("null");
                return {};
            case Value::Type::kBool:
                out_.add(value.as_bool() ? "true" : "false");
                return {};
            case Value::Type::kInt:
                out_.add(fmt::format_int(value.as_int()).c_str());
                return {};
            case Value::Type::kFloat:
                out_.add(json_float(value.as_double()));
                return {};
            case Value::Type::kString:
                write_json_string(out_, value.text(), style_);
                return {};
            case Value::Type::kSequence:
                return write_items(value.items());
            case Value::Type::kDict:
                return write_dict(value.as_dict());
            default:
                break;
        }
        return fail(ErrorCode::kInvalidArgument,
                    "tojson: a value of type {} is not JSON",
                    value.type_name());
    }

  private:
    void new_line() {
        if (!style_.indent) return;
        out_.add('\n');
        out_.add_repeated(*style_.indent, level_);
    }

    Result<void> write_items(const std::vector<Value>& items) {
        if (items.empty()) {
            out_.add("[]");
            return {};
        }
        out_.add('[');
        ++level_;
        bool first = true;
        for (const Value& item : items) {
            if (out_.full()) return {};
            if (!first) out_.add(style_.item_separator);
            first = false;
            new_line();
            NOTSO_CHECK(write(item));
        }
        --level_;
        new_line();
        out_.add(']');
        return {};
    }

    Result<void> write_key(const Value& key) {
        if (key.is_string()) {
            write_json_string(out_, key.text(), style_);
            return {};
        }
        if (!key.is_number() && !key.is_none()) {
            return fail(ErrorCode::kInvalidArgument,
                        "tojson: a dict key of type {} is not JSON",
                        key.type_name());
        }
        out_.add('"');
        NOTSO_CHECK(write(key));
        out_.add('"');
        return {};
    }

    Result<void> write_dict(const Dict& dict) {
        if (dict.size() == 0) {
            out_.add("{}");
            return {};
        }
        NOTSO_TRY(const auto entries, ordered(dict));
        out_.add('{');
        ++level_;
        bool first = true;
        for (const Dict::Entry* entry : entries) {
            if (out_.full()) return {};
            if (!first) out_.add(style_.item_separator);
            first = false;
            new_line();
            NOTSO_CHECK(write_key(entry->first));
            out_.add(style_.key_separator);
            NOTSO_CHECK(write(entry->second));
        }
        --level_;
        new_line();
        out_.add('}');
        return {};
    }

    Result<std::vector<const Dict::Entry*>> ordered(const Dict& dict) const {
        std::vector<const Dict::Entry*> entries;
        for (const auto& entry : dict.entries()) entries.push_back(&entry);
        if (!style_.sort_keys) return entries;
        const bool text = std::all_of(
            entries.begin(), entries.end(), [](auto* e) { return e->first.is_string(); });
        const bool numbers = std::all_of(
            entries.begin(), entries.end(), [](auto* e) { return e->first.is_number(); });
        if (!text && !numbers && entries.size() > 1) {
            return fail(ErrorCode::kInvalidArgument,
                        "tojson: keys of different types can't be sorted");
        }
        std::stable_sort(entries.begin(), entries.end(), [](auto* left, auto* right) {
            return less_than(left->first, right->first).value_or(false);
        });
        return entries;
    }

    TextBuilder& out_;
    const JsonStyle& style_;
    int level_ = 0;
};

}  // namespace

Result<void> write_json(TextBuilder& out, const Value& value, const JsonStyle& style) {
    return JsonWriter(out, style).write(value);
}

}  // namespace notso::services::jinja

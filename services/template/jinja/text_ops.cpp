// See text_ops.hpp.
#include "services/template/jinja/text_ops.hpp"

#include <cstring>

#include "base/utf8.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {

Value like(const Value& model, std::string text) {
    return model.is_markup() ? Value::markup(std::move(text)) : Value::string(std::move(text));
}

std::size_t find_text(std::string_view text, std::string_view what, std::size_t from) noexcept {
    if (from > text.size()) return std::string_view::npos;
    const void* found = memmem(text.data() + from, text.size() - from, what.data(), what.size());
    if (found == nullptr) return what.empty() ? from : std::string_view::npos;
    return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// Backwards by searching the reversed texts: keeps the time linear for hostile ones.
std::size_t rfind_text(std::string_view text, std::string_view what) noexcept {
    const std::string backwards(text.rbegin(), text.rend());
    const std::string needle(what.rbegin(), what.rend());
    const std::size_t found = find_text(backwards, needle);
    return found == std::string_view::npos ? found : text.size() - found - what.size();
}

Result<std::string> replace_text(Interpreter& interpreter,
                                 std::string_view text,
                                 const Replacement& replacement) {
    TextBuilder out = interpreter.builder();
    std::int64_t left = replacement.count < 0 ? INT64_MAX : replacement.count;
    std::size_t at = 0;
    const bool between =
        replacement.old_text.empty();  // then the new text goes between all characters
    while (left-- > 0 && !out.full()) {
        const std::size_t found = between ? at : find_text(text, replacement.old_text, at);
        if (found == std::string_view::npos) break;
        out.add(text.substr(at, found - at));
        out.add(replacement.new_text);
        at = found + replacement.old_text.size();
        if (!between) continue;
        if (at == text.size()) return std::move(out).finish();
        const std::size_t size = decode_utf8(text.substr(at)).size;
        out.add(text.substr(at, size));
        at += size;
    }
    out.add(text.substr(at));
    return std::move(out).finish();
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
    std::vector<std::string_view> lines;
    std::size_t begin = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const DecodedCodePoint next = decode_utf8(text.substr(at));
        const std::size_t end = at;
        at += next.size;
        if (!unicode::has(next.value, unicode::kLineBreak)) continue;
        if (next.value == '\r' && at < text.size() && text[at] == '\n') ++at;
        lines.push_back(text.substr(begin, (keep_ends ? at : end) - begin));
        begin = at;
    }
    if (begin < text.size()) lines.push_back(text.substr(begin));
    return lines;
}

std::vector<std::string_view> split_words(std::string_view text, std::int64_t max_splits) {
    std::vector<std::string_view> words;
    text = unicode::strip(text, unicode::Side::kLeft);
    while (!text.empty()) {
        if (max_splits >= 0 && static_cast<std::int64_t>(words.size()) == max_splits) {
            words.push_back(text);
            break;
        }
        std::size_t end = 0;
        while (end < text.size()) {
            const DecodedCodePoint next = decode_utf8(text.substr(end));
            if (unicode::has(next.value, unicode::kSpace)) break;
            end += next.size;
        }
        words.push_back(text.substr(0, end));
        text = unicode::strip(text.substr(end), unicode::Side::kLeft);
    }
    return words;
}

Result<std::string> pad_text(Interpreter& interpreter, const Value& text, const Padding& padding) {
    const auto length = static_cast<std::int64_t>(text.as_string().length);
    const std::int64_t missing = std::max<std::int64_t>(padding.width - length, 0);
    std::int64_t left = 0;
    if (padding.align == Align::kRight) left = missing;
    if (padding.align == Align::kFormatCenter) left = missing / 2;
    // The odd one goes left when the width is odd, as CPython has it.
    if (padding.align == Align::kCenter) left = missing / 2 + (missing & padding.width & 1);
    TextBuilder out = interpreter.builder();
    out.add_repeated(padding.fill, left);
    out.add(text.text());
    out.add_repeated(padding.fill, missing - left);
    return std::move(out).finish();
}

Result<Items> characters(Interpreter& interpreter, const Value& string) {
    const std::string_view text = string.text();
    NOTSO_CHECK(interpreter.spend(static_cast<std::int64_t>(text.size())));
    std::vector<Value> out;
    for (std::size_t at = 0; at < text.size();) {
        NOTSO_CHECK(interpreter.spend(0));
        const std::size_t size = decode_utf8(text.substr(at)).size;
        // What one iterates over is never HTML.
        out.push_back(Value::string(std::string(text.substr(at, size))));
        at += size;
    }
    return std::make_shared<const Sequence>(std::move(out), true);
}

}  // namespace notso::services::jinja

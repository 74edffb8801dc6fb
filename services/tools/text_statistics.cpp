#include "services/tools/text_statistics.hpp"

#include <algorithm>
#include <map>

#include "base/utf8.hpp"
#include "services/template/unicode/unicode.hpp"
#include "services/tools/built_in.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::string_view kStatisticsSchema = R"({
  "properties": {
    "text": {"type": "string", "description": "The text to count"},
    "find": {
      "type": "string",
      "minLength": 1,
      "maxLength": 1000,
      "description": "Also count how often this occurs (in any case), e.g. a letter or a word"
    }
  },
  "required": ["text"]
})";

struct Counts {
    std::size_t characters = 0;  ///< Code points.
    std::size_t letters = 0;
    std::size_t digits = 0;
    std::size_t spaces = 0;
    std::size_t words = 0;
    std::size_t sentences = 0;
    std::size_t lines = 0;
    std::size_t paragraphs = 0;
    std::size_t distinct_words = 0;
};

/// Scripts that are written without spaces: each character counts as a word, as word processors do.
bool stands_alone(char32_t c) {
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x4dbf) ||
           (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0x20000 && c <= 0x3ffff);
}

bool ends_sentence(char32_t c) {
    return c == '.' || c == '!' || c == '?' || c == U'…' || c == U'。' || c == U'！' ||
           c == U'？' || c == U'؟' || c == U'।';
}

/// Combining marks of the common blocks go with the letter before them.
bool is_mark(char32_t c) {
    return (c >= 0x300 && c <= 0x36f) || (c >= 0x1ab0 && c <= 0x1aff) || c == 0x200d ||
           (c >= 0x900 && c <= 0x903) || (c >= 0x93a && c <= 0x94f) || (c >= 0x64b && c <= 0x65f);
}

bool is_word_part(char32_t c) { return unicode::has(c, unicode::kAlnum) || c == '_' || is_mark(c); }

/// Holds words together: don't, co-operate, 3.14 (only between two word parts).
bool joins(char32_t c) {
    return c == '\'' || c == U'’' || c == '-' || c == U'‐' || c == '.' || c == ',';
}

/// Dots and commas join digits only.
bool joins_between(char32_t c, char32_t before, char32_t after) {
    if (!joins(c) || !is_word_part(before) || !is_word_part(after)) return false;
    if (c != '.' && c != ',') return true;
    return unicode::has(before, unicode::kDigit) && unicode::has(after, unicode::kDigit);
}

void count_words(const std::u32string& text, Counts& counts) {
    std::map<std::u32string, int> seen;
    std::u32string word;
    const auto end_word = [&] {
        if (word.empty()) return;
        ++counts.words;
        ++seen[unicode::decode(unicode::casefold(unicode::encode(word)))];
        word.clear();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char32_t c = text[i];
        const char32_t before = i > 0 ? text[i - 1] : U' ';
        const char32_t after = i + 1 < text.size() ? text[i + 1] : U' ';
        if (stands_alone(c)) end_word();
        if (is_word_part(c) || joins_between(c, before, after)) {
            word += c;
            if (stands_alone(c)) end_word();
        } else {
            end_word();
        }
    }
    end_word();
    counts.distinct_words = seen.size();
}

/// A sentence ends at its mark before a space or the end, and at the end of a text that has none.
void count_sentences(const std::u32string& text, Counts& counts) {
    bool has_words = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_word_part(text[i])) has_words = true;
        if (!ends_sentence(text[i]) || !has_words) continue;
        const char32_t after = i + 1 < text.size() ? text[i + 1] : U' ';
        const bool wide = text[i] > 0x3000;
        if (wide || unicode::has(after, unicode::kSpace) || after == '"' || after == U'”' ||
            after == ')') {
            ++counts.sentences;
            has_words = false;
        }
    }
    if (has_words) ++counts.sentences;
}

Counts count(const std::u32string& text) {
    Counts counts;
    counts.characters = text.size();
    bool blank = true;  // the line so far
    bool in_paragraph = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char32_t c = text[i];
        if (unicode::has(c, unicode::kAlpha)) ++counts.letters;
        if (unicode::has(c, unicode::kDecimal)) ++counts.digits;
        const bool space = unicode::has(c, unicode::kSpace);
        if (space) ++counts.spaces;
        if (!space && std::exchange(blank, false) && !std::exchange(in_paragraph, true))
            ++counts.paragraphs;
        if (c == '\n') {
            if (std::exchange(blank, true)) in_paragraph = false;
            ++counts.lines;
        }
    }
    if (!text.empty() && text.back() != '\n') ++counts.lines;
    count_words(text, counts);
    count_sentences(text, counts);
    return counts;
}

std::size_t occurrences(std::string_view text, std::string_view find) {
    const std::string haystack = unicode::casefold(text);
    const std::string needle = unicode::casefold(find);
    std::size_t n = 0;
    for (auto at = haystack.find(needle); at != std::string::npos;
         at = haystack.find(needle, at + needle.size()))
        ++n;
    return n;
}

/// At 230 words a minute.
std::string reading_time(std::size_t words) {
    const std::size_t seconds = (words * 60 + 229) / 230;
    if (seconds < 60) return fmt::format("{} s", seconds);
    return fmt::format("{} min {} s", seconds / 60, seconds % 60);
}

Result<std::string> statistics(const json::object& arguments, const ToolContext& /*context*/) {
    const std::string text = text_argument(arguments, "text");
    if (!is_valid_utf8(text))
        return fail(ErrorCode::kInvalidArgument, "the text is not well-formed UTF-8");
    const Counts n = count(unicode::decode(text));
    std::string out = fmt::format(
        "characters: {}\ncharacters without spaces: {}\nletters: {}\ndigits: {}\nwords: "
        "{}\ndistinct words: {}\nsentences: {}\nlines: {}\nparagraphs: {}\nreading time: {}",
        n.characters,
        n.characters - n.spaces,
        n.letters,
        n.digits,
        n.words,
        n.distinct_words,
        n.sentences,
        n.lines,
        n.paragraphs,
        reading_time(n.words));
    const std::string find = text_argument(arguments, "find");
    if (!find.empty())
        out += fmt::format("\noccurrences of \"{}\": {}", find, occurrences(text, find));
    return out;
}

}  // namespace

ToolPtr make_text_statistics() {
    ToolInfo info;
    info.name = "text_statistics";
    info.title = "Text statistics";
    info.description =
        "Counts characters, letters, words, sentences, lines and paragraphs of a text, its reading "
        "time, and how often something occurs in it.";
    return make_built_in(std::move(info), kStatisticsSchema, statistics);
}

}  // namespace notso::services

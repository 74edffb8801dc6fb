#include "services/chat/side_texts.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <set>
#include <span>

#include "base/utf8.hpp"
#include "services/chat/title.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kMaxTitle = 60;     // code points
constexpr std::size_t kMaxFollowUp = 80;  // code points
constexpr std::size_t kMinText = 3;       // code points
constexpr std::size_t kMaxCopiedWords = 4;
constexpr std::size_t kMaxLines = 12;
constexpr std::size_t kWordStem = 4;
// This runs on the io thread: of long texts the beginning counts, of long talks the end.
constexpr std::size_t kMaxBytes = 4096;
constexpr std::size_t kMaxCompared = 100;  // messages

// Words that any text may have: they don't tell what it is about.
constexpr std::array<std::string_view, 56> kCommonWords = {
    "what", "when", "wher", "whic", "whos", "that", "this", "thes", "thos", "with", "from", "have",
    "does", "your", "ther", "they", "thei", "abou", "woul", "coul", "shou", "some", "more", "most",
    "like", "make", "tell", "best", "good", "into", "than", "them", "othe", "will", "thin", "ever",
    "seen", "know", "time", "want", "need", "look", "sure", "help", "many", "much", "only", "also",
    "just", "here", "were", "been", "each", "ques", "answ", "very"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Code points that would change how the text around them looks, or that no text has.
bool is_unfit(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x200B || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
           (c >= 0xFFF9 && c <= 0xFFFD) || (c >= 0xE000 && c <= 0xF8FF) || c >= 0xE0000;
}

/// How many code points; 0 when one of them is unfit.
std::size_t count_fit(std::string_view text) {
    std::size_t count = 0;
    while (!text.empty()) {
        const DecodedCodePoint next = decode_utf8(text);
        if (!next.valid || is_unfit(next.value)) return 0;
        text.remove_prefix(next.size);
        ++count;
    }
    return count;
}

std::string lowered(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), lower);
    return out;
}

/// Letters and digits only, in lower case: what makes two lines the same.
std::string essence(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (!is_ascii(c) || is_letter(c) || is_digit(c)) out += lower(c);
    }
    return out;
}

/// Beginnings of the words that tell what a text is about. Letters of scripts without blanks count
/// each.
std::set<std::string> topics(std::string_view text) {
    constexpr char32_t kFirstWithoutBlanks = 0x2E80;
    std::set<std::string> found;
    std::string word;
    const auto end_word = [&] {
        std::string stem(truncate_utf8(word, kWordStem));
        const bool long_enough = word.size() >= kWordStem;
        if (long_enough && std::ranges::find(kCommonWords, stem) == kCommonWords.end())
            found.insert(std::move(stem));
        word.clear();
    };
    while (!text.empty()) {
        const DecodedCodePoint next = decode_utf8(text);
        const std::string_view bytes = text.substr(0, next.size);
        text.remove_prefix(next.size);
        if (next.value >= kFirstWithoutBlanks) {
            end_word();
            found.emplace(bytes);
        } else if (next.value >= 0xC0 || is_letter(bytes[0]) || is_digit(bytes[0])) {
            word += next.size == 1 ? std::string(1, lower(bytes[0])) : std::string(bytes);
        } else {
            end_word();
        }
    }
    end_word();
    return found;
}

bool has_a_topic(std::string_view text, const std::set<std::string>& wanted) {
    const std::set<std::string> found = topics(text);
    return std::ranges::any_of(found,
                               [&](const std::string& word) { return wanted.contains(word); });
}

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
    return lowered(text.substr(0, prefix.size())) == prefix ? text.substr(prefix.size()) : text;
}

/// "1. ", "2) ", "- ", "* ", "• ", "# " at the start of a line.
std::string_view without_list_mark(std::string_view line) {
    std::size_t n = 0;
    while (n < line.size() && is_digit(line[n])) ++n;
    if (n > 0 && n < line.size() && (line[n] == '.' || line[n] == ')')) line.remove_prefix(n + 1);
    for (bool again = true; again;) {
        again = false;
        for (const std::string_view mark : {" ", "- ", "* ", "+ ", "#", "> ", "•", "–"}) {
            if (!line.starts_with(mark)) continue;
            line.remove_prefix(mark.size());
            again = true;
        }
    }
    return line;
}

std::string_view without_quotes(std::string_view text) {
    for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"\"", "\""},
                                      {"'", "'"},
                                      {"“", "”"},
                                      {"«", "»"},
                                      {"„", "“"}}) {
        if (text.size() <= open.size() + close.size()) continue;
        if (!text.starts_with(open) || !text.ends_with(close)) continue;
        return text.substr(open.size(), text.size() - open.size() - close.size());
    }
    return text;
}

/// A line as plain text; empty when it can't be one.
std::string plain_line(std::string_view written) {
    std::string line = single_line(written);
    std::erase_if(line, [](char c) { return c == '*' || c == '`' || c == '~'; });
    line = single_line(without_quotes(without_list_mark(line)));
    const bool link = line.find("](") != std::string::npos || line.find("://") != std::string::npos;
    const bool markup = line.find('<') != std::string::npos || line.find('|') != std::string::npos;
    return link || markup || count_fit(line) < kMinText ? std::string() : line;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty() && lines.size() < kMaxLines) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (text.substr(0, end).find_first_not_of(kWhiteSpace) != std::string_view::npos)
            lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// The strings of a JSON array; nothing when the text is none.
std::optional<std::vector<std::string>> strings_of(std::string_view text) {
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(text, error);
    if (error || !value.is_array()) return std::nullopt;
    std::vector<std::string> strings;
    for (const boost::json::value& item : value.get_array()) {
        if (item.is_string()) strings.emplace_back(item.get_string());
    }
    return strings;
}

/// Two words that other languages do not have.
bool seems_english(std::string_view text) {
    constexpr std::array<std::string_view, 18> kWords = {"the",
                                                         "are",
                                                         "what",
                                                         "how",
                                                         "why",
                                                         "who",
                                                         "when",
                                                         "where",
                                                         "which",
                                                         "does",
                                                         "can",
                                                         "you",
                                                         "about",
                                                         "give",
                                                         "tell",
                                                         "write",
                                                         "explain",
                                                         "and"};
    int found = 0;
    std::string word;
    for (const char c : std::string(text) + ' ') {
        if (is_letter(c) || !is_ascii(c)) {
            word += lower(c);
            continue;
        }
        if (std::ranges::find(kWords, word) != kWords.end()) ++found;
        word.clear();
    }
    return found >= 2;
}

/// The last question and its answer.
std::string last_exchange(const std::vector<Message>& messages) {
    std::string text;
    const std::size_t first = messages.size() > 2 ? messages.size() - 2 : 0;
    for (std::size_t i = first; i < messages.size(); ++i) {
        text += truncate_utf8(messages[i].text, kMaxBytes);
        text += '\n';
    }
    return text;
}

/// A sentence about the conversation is no title.
bool talks_about_itself(std::string_view title) {
    const std::string low = lowered(title);
    return std::ranges::any_of(
        std::array<std::string_view, 5>{
            "this conversation", "the conversation", "the user", "here is", "here's"},
        [&](std::string_view start) { return low.starts_with(start); });
}

/// But the person is the one to ask.
bool asks_the_person(std::string_view line) {
    const std::string low = lowered(line);
    return std::ranges::any_of(
        std::array<std::string_view, 5>{"your ", "you've", "you ever", "you like", "did you"},
        [&](std::string_view part) { return low.find(part) != std::string::npos; });
}

bool is_question(std::string_view line) {
    return line.ends_with("?") || line.ends_with("？") || line.ends_with("؟");
}

}  // namespace

std::optional<std::string> clean_title(std::string_view written,
                                       const std::vector<Message>& messages) {
    const auto lines = lines_of(written);
    if (lines.empty()) return std::nullopt;
    std::string title = plain_line(lines.front());
    title = single_line(without_quotes(single_line(without_prefix(title, "title:"))));
    if (title.ends_with('.')) title.pop_back();
    const std::size_t size = count_fit(title);
    if (size < kMinText || size > kMaxTitle) return std::nullopt;
    if (std::string_view(":,;").contains(title.back()) || talks_about_itself(title))
        return std::nullopt;
    if (!has_a_topic(title, topics(last_exchange(messages)))) return std::nullopt;
    const auto words = static_cast<std::size_t>(std::ranges::count(title, ' ')) + 1;
    const bool copied = std::ranges::any_of(messages, [&](const Message& message) {
        const std::string text = essence(truncate_utf8(message.text, kMaxBytes));
        return text.find(essence(title)) != std::string::npos;
    });
    if (copied && words > kMaxCopiedWords) return std::nullopt;
    return title;
}

std::string follow_up_grammar(const std::vector<Message>& messages) {
    constexpr std::string_view kEnglish =
        R"(("What" | "How" | "Why" | "Who" | "When" | "Where" | "Which" | "Can" | "Could" | "Is" | )"
        R"("Are" | "Do" | "Does" | "Did") " " )";
    const bool english = seems_english(last_exchange(messages));
    // What has to be cut at 100 characters is longer than what is shown.
    return fmt::format(R"(root ::= "[" q ", " q ", " q "]"
q ::= "\"" {}[^"\\?:#(){{}}<>|*`\[\]\x00-\x1F]{{8,100}} ("?" | "？" | "؟") "\""
)",
                       english ? kEnglish : "");
}

std::vector<std::string> clean_follow_ups(std::string_view written,
                                          bool whole,
                                          const std::vector<Message>& messages) {
    const auto strings = strings_of(written);
    std::vector<std::string_view> lines = lines_of(written);
    if (strings) lines.assign(strings->begin(), strings->end());
    if (!whole && !lines.empty()) lines.pop_back();
    std::set<std::string> known;
    const std::size_t compared = std::min(messages.size(), kMaxCompared);
    for (const Message& message : std::span(messages).last(compared)) {
        if (message.role == MessageRole::kUser)
            known.insert(essence(truncate_utf8(message.text, kMaxBytes)));
    }
    const std::set<std::string> about = topics(last_exchange(messages));
    std::vector<std::string> found;
    for (const std::string_view raw : lines) {
        std::string line = plain_line(raw);
        if (found.size() == kMaxFollowUps) break;
        if (line.empty() || count_fit(line) > kMaxFollowUp || !is_question(line)) continue;
        if (asks_the_person(line)) continue;
        const std::string question = essence(line);
        const auto same = known.lower_bound(question);  // the same, or the same and more
        const bool asked = same != known.end() && same->starts_with(question);
        if (!has_a_topic(line, about) || asked) continue;
        known.insert(question);
        found.push_back(std::move(line));
    }
    return found;
}

}  // namespace notso::services

// Each function below stands for one alternative of a regular expression, tried in its order at one
// place. Positions are byte offsets; "none" is a match of length zero.
#include "ml/tokenizer/pre_tokenizer.hpp"

#include <array>
#include <utility>

#include "ml/tokenizer/unicode.hpp"

namespace notso::ml {
namespace {

using enum CharClass;

constexpr bool is_space(CharClass kind) { return kind == kSpace || kind == kNewline; }
/// [^\s\p{L}\p{N}]
constexpr bool is_symbol(CharClass kind) { return kind == kOther || kind == kDigitOnly; }

/// End of the run of characters of which `in_run` holds, from `pos` on.
template <class Predicate>
std::size_t run_end(std::string_view text, std::size_t pos, Predicate in_run) noexcept {
    while (pos < text.size()) {
        const ClassifiedChar c = classify_at(text, pos);
        if (!in_run(c.kind)) break;
        pos += c.size;
    }
    return pos;
}

std::size_t letters_end(std::string_view text, std::size_t pos) noexcept {
    return run_end(text, pos, [](CharClass kind) { return kind == kLetter; });
}
std::size_t symbols_end(std::string_view text, std::size_t pos) noexcept {
    return run_end(text, pos, is_symbol);
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Length of `'s|'t|'re|'ve|'m|'ll|'d` at `pos`, 0 for none.
template <bool kAnyCase>
std::size_t contraction(std::string_view text, std::size_t pos) noexcept {
    if (text[pos] != '\'' || pos + 1 >= text.size()) return 0;
    const auto letter = [&](std::size_t i) {
        const char c = i < text.size() ? text[i] : '\0';
        return kAnyCase ? lower(c) : c;
    };
    switch (letter(pos + 1)) {
        case 's':
        case 't':
        case 'm':
        case 'd':
            return 2;
        case 'r':
        case 'v':
            return letter(pos + 2) == 'e' ? 3 : 0;
        case 'l':
            return letter(pos + 2) == 'l' ? 3 : 0;
        default:
            break;
    }
    // U+017F, the long s, is an s when case does not count.
    return kAnyCase && text.substr(pos + 1, 2) == "\xC5\xBF" ? 3 : 0;
}

/// A run of white space, looked at once.
struct SpaceRun {
    std::size_t end;             // after the run
    std::size_t last;            // where its last character begins
    std::size_t after_newlines;  // after its last \r or \n; 0 when it has none
};

SpaceRun space_run(std::string_view text, std::size_t pos) noexcept {
    SpaceRun run{pos, pos, 0};
    while (run.end < text.size()) {
        const ClassifiedChar c = classify_at(text, run.end);
        if (!is_space(c.kind)) break;
        run.last = run.end;
        run.end += c.size;
        if (c.kind == kNewline) run.after_newlines = run.end;
    }
    return run;
}

/// `\s+(?!\S)|\s+`: leaves the last character of a run to the word that follows, if it can.
std::size_t spaces_end(std::string_view text, std::size_t pos, const SpaceRun& run) noexcept {
    return run.end == text.size() || run.last == pos ? run.end : run.last;
}

std::size_t gpt2_end(std::string_view text, std::size_t pos) noexcept {
    if (const std::size_t n = contraction<false>(text, pos)) return pos + n;
    // ` ?` before letters, numbers or symbols.
    const std::size_t start = text[pos] == ' ' && pos + 1 < text.size() ? pos + 1 : pos;
    const CharClass kind = classify_at(text, start).kind;
    if (kind == kLetter) return letters_end(text, start);
    if (kind == kNumber) return run_end(text, start, [](CharClass k) { return k == kNumber; });
    if (is_symbol(kind)) return symbols_end(text, start);
    return spaces_end(text, pos, space_run(text, pos));
}

std::size_t numbers_end(std::string_view text, std::size_t pos, int at_most) noexcept {
    return run_end(text, pos, [left = at_most](CharClass kind) mutable {
        return kind == kNumber && left-- > 0;
    });
}

/// @param digits  How many numbers stay together.
std::size_t llama3_end(std::string_view text, std::size_t pos, int digits) noexcept {
    if (const std::size_t n = contraction<true>(text, pos)) return pos + n;
    const ClassifiedChar first = classify_at(text, pos);
    if (first.kind == kLetter) return letters_end(text, pos);
    if (first.kind == kNumber) return numbers_end(text, pos, digits);
    const std::size_t second = pos + first.size;
    const bool ends = second >= text.size();
    const CharClass follows = ends ? kSpace : classify_at(text, second).kind;
    if (first.kind != kNewline && follows == kLetter) return letters_end(text, second);
    if (is_symbol(first.kind) || (text[pos] == ' ' && is_symbol(follows))) {
        return run_end(text, symbols_end(text, second), [](CharClass k) { return k == kNewline; });
    }
    const SpaceRun run = space_run(text, pos);
    return run.after_newlines != 0 ? run.after_newlines : spaces_end(text, pos, run);
}

struct Name {
    std::string_view text;
    PreTokenizer kind;
};
constexpr std::array kNames = {
    Name{"smollm", PreTokenizer::kSmollm},
    Name{"smaug-bpe", PreTokenizer::kLlama3},
    Name{"llama-bpe", PreTokenizer::kLlama3},
    Name{"llama3", PreTokenizer::kLlama3},
    Name{"gpt-2", PreTokenizer::kGpt2},
    Name{"qwen2", PreTokenizer::kQwen2},
};

}  // namespace

std::optional<PreTokenizer> pre_tokenizer_by_name(std::string_view name) noexcept {
    for (const Name& known : kNames) {
        if (known.text == name) return known.kind;
    }
    return std::nullopt;
}

bool ignores_merges(PreTokenizer kind) noexcept { return kind == PreTokenizer::kLlama3; }

std::size_t WordScanner::smollm_end() noexcept {
    const auto is_digit = [](CharClass kind) { return kind == kNumber || kind == kDigitOnly; };
    const ClassifiedChar first = classify_at(text_, pos_);
    if (is_digit(first.kind)) return pos_ + first.size;
    // A stretch is looked for once, not once per word: long texts without digits stay linear.
    if (pos_ >= segment_end_) {
        segment_end_ = run_end(text_, pos_, [&](CharClass kind) { return !is_digit(kind); });
    }
    return gpt2_end(text_.substr(0, segment_end_), pos_);
}

std::string_view WordScanner::next() noexcept {
    if (pos_ >= text_.size()) return {};
    const std::size_t start = pos_;
    switch (kind_) {
        case PreTokenizer::kGpt2:
            pos_ = gpt2_end(text_, pos_);
            break;
        case PreTokenizer::kSmollm:
            pos_ = smollm_end();
            break;
        case PreTokenizer::kLlama3:
            pos_ = llama3_end(text_, pos_, 3);
            break;
        case PreTokenizer::kQwen2:
            pos_ = llama3_end(text_, pos_, 1);
            break;
    }
    return text_.substr(start, pos_ - start);
}

}  // namespace notso::ml

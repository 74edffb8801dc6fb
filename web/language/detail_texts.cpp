#include "web/language/detail_texts.hpp"

#include <optional>

#include "base/assert.hpp"

namespace notso::web {
namespace {

/// What stands around "{…}"; what stands in each goes to `places`.
std::vector<std::string> split(std::string_view text, std::vector<std::string_view>& places) {
    std::vector<std::string> around;
    while (true) {
        const std::size_t begin = text.find('{');
        const std::size_t end = text.find('}', begin);
        if (begin == std::string_view::npos || end == std::string_view::npos) break;
        around.emplace_back(text.substr(0, begin));
        places.push_back(text.substr(begin + 1, end - begin - 1));
        text.remove_prefix(end + 1);
    }
    around.emplace_back(text);
    return around;
}

/// What was filled in between the literals, if that is how the text was made.
std::optional<std::vector<std::string_view>> filled_in(std::string_view text,
                                                       const std::vector<std::string>& literals) {
    if (literals.size() == 1)
        return text == literals.front() ? std::optional(std::vector<std::string_view>())
                                        : std::nullopt;
    const std::string& last = literals.back();
    if (!text.starts_with(literals.front())) return std::nullopt;
    text.remove_prefix(literals.front().size());
    if (!text.ends_with(last)) return std::nullopt;
    text.remove_suffix(last.size());
    std::vector<std::string_view> values;
    for (std::size_t i = 1; i + 1 < literals.size(); ++i) {
        const std::size_t at = text.find(literals[i]);
        if (at == std::string_view::npos) return std::nullopt;
        values.push_back(text.substr(0, at));
        text.remove_prefix(at + literals[i].size());
    }
    values.push_back(text);
    return values;
}

}  // namespace

void DetailTexts::add(std::string_view english, std::string_view translated) {
    Pattern pattern;
    std::vector<std::string_view> wanted;
    std::vector<std::string_view> given;
    pattern.literals = split(english, wanted);
    pattern.texts = split(translated, given);
    NOTSO_ASSERT(wanted.size() == given.size(), "a translated detail takes other values");
    for (const std::string_view place : given) pattern.inner.push_back(place == "*");
    patterns_.push_back(std::move(pattern));
}

std::string DetailTexts::translate(std::string_view detail, const Translate& inner) const {
    for (const Pattern& pattern : patterns_) {
        const auto values = filled_in(detail, pattern.literals);
        if (!values) continue;
        std::string text = pattern.texts.front();
        for (std::size_t i = 0; i < values->size(); ++i) {
            text += pattern.inner[i] ? inner((*values)[i]) : std::string((*values)[i]);
            text += pattern.texts[i + 1];
        }
        return text;
    }
    return std::string(detail);
}

}  // namespace notso::web

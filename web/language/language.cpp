#include "web/language/language.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <vector>

#include "base/assert.hpp"
#include "web/assets/assets.hpp"
#include "web/middleware/cookies.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;

constexpr std::string_view kEnglish = R"({"name":"English","decimal":".","thousands":","})";

struct Languages {
    std::vector<std::unique_ptr<const Language>> owned;
    std::vector<const Language*> all;
};

const Languages& languages() {
    static const Languages kAll = [] {
        Languages made;
        made.owned.push_back(std::make_unique<const Language>("en", kEnglish));
        for (const Catalogue& catalogue : catalogues())
            made.owned.push_back(
                std::make_unique<const Language>(catalogue.code, catalogue.source));
        for (const auto& language : made.owned) made.all.push_back(language.get());
        return made;
    }();
    return kAll;
}

/// "de-AT;q=0.8" and the like: the code before anything else.
std::string_view code_of(std::string_view range) {
    range.remove_prefix(std::min(range.find_first_not_of(" \t"), range.size()));
    return range.substr(0, range.find_first_of("-;, \t"));
}

/// Browsers list languages from the most to the least wanted, so weights are not looked at.
const Language* accepted(std::string_view header) {
    while (!header.empty()) {
        const std::size_t comma = header.find(',');
        if (const Language* found = Language::find(code_of(header.substr(0, comma)))) return found;
        header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
    }
    return nullptr;
}

/// As a literal of the template language.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string text_member(const json::object& catalogue, std::string_view name) {
    const json::value* value = catalogue.if_contains(name);
    NOTSO_ASSERT(value != nullptr && value->is_string(), "a catalogue lacks a text");
    return std::string(value->as_string());
}

}  // namespace

const Language& Language::english() { return *languages().all.front(); }

std::span<const Language* const> Language::all() { return languages().all; }

const Language* Language::find(std::string_view code) {
    const auto found = std::ranges::find(languages().all, code, &Language::code);
    return found == languages().all.end() ? nullptr : *found;
}

const Language& Language::of(const Request& request) {
    if (const Language* chosen = find(request.cookie(kLanguageCookie.name))) return *chosen;
    const Language* wanted = accepted(request.header("accept-language"));
    return wanted == nullptr ? english() : *wanted;
}

Language::Language(std::string_view code, std::string_view catalogue) : code_(code) {
    boost::system::error_code error;
    const json::value parsed = json::parse(catalogue, error);
    NOTSO_ASSERT(!error && parsed.is_object(), "a catalogue of texts is no JSON object");
    const json::object& object = parsed.as_object();
    name_ = text_member(object, "name");
    decimal_ = text_member(object, "decimal");
    thousands_ = text_member(object, "thousands");
    if (const json::value* script = object.if_contains("script"))
        script_texts_ = json::serialize(*script);
    if (const json::value* page = object.if_contains("page")) {
        for (const auto& [english, text] : page->as_object())
            texts_.emplace(std::string(english), std::string(text.as_string()));
    }
    if (const json::value* details = object.if_contains("details")) {
        for (const auto& [english, text] : details->as_object())
            details_.add(english, text.as_string());
    }
}

std::string Language::detail(std::string_view english) const {
    // What is filled in may be the name of a setting, or a detail itself, which has no third
    // inside.
    const auto plain = [this](std::string_view inner) { return std::string(text(inner)); };
    const auto inner = [&](std::string_view filled) {
        std::string named = plain(filled);
        return named == filled ? details_.translate(filled, plain) : named;
    };
    return details_.translate(english, inner);
}

std::string_view Language::text(std::string_view english) const {
    const auto found = texts_.find(english);
    return found == texts_.end() ? english : std::string_view(found->second);
}

std::string translated_template(std::string_view source, const Language& language) {
    constexpr std::string_view kOpen = "_(\"";
    constexpr std::string_view kClose = "\")";
    std::string out;
    while (true) {
        const std::size_t begin = source.find(kOpen);
        if (begin == std::string_view::npos) return out.append(source);
        out += source.substr(0, begin);
        source.remove_prefix(begin + kOpen.size());
        const std::size_t end = source.find(kClose);
        NOTSO_ASSERT(end != std::string_view::npos, "a text of a page template does not end");
        out += quoted(language.text(source.substr(0, end)));
        source.remove_prefix(end + kClose.size());
    }
}

}  // namespace notso::web

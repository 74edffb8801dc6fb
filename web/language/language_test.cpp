#include "web/language/language.hpp"

#include <gtest/gtest.h>

#include "web/assets/assets.hpp"
#include "web/pages/format.hpp"

namespace notso::web {
namespace {

Request request_with(const std::string& cookie, const std::string& accepts) {
    Request request;
    if (!cookie.empty()) request.headers["cookie"] = cookie;
    if (!accepts.empty()) request.headers["accept-language"] = accepts;
    return request;
}

std::string_view code_for(const std::string& cookie, const std::string& accepts) {
    return Language::of(request_with(cookie, accepts)).code();
}

/// How often a text takes a value: {} of code, %s of templates.
std::pair<int, int> places(std::string_view text) {
    std::pair<int, int> found{0, 0};
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        if (text[i] == '{') ++found.first;
        if (text[i] == '%' && text[i + 1] == 's') ++found.second;
    }
    return found;
}

const Language& german() { return *Language::find("de"); }

TEST(Language, IsTheChosenOneElseTheBrowsersFirst) {
    EXPECT_EQ(code_for("", ""), "en");
    EXPECT_EQ(code_for("", "de"), "de");
    EXPECT_EQ(code_for("", "de-AT,de;q=0.9,en;q=0.8"), "de");
    EXPECT_EQ(code_for("", "fr-FR, de;q=0.5, en;q=0.1"), "de");
    EXPECT_EQ(code_for("", "en-US,en;q=0.9,de;q=0.8"), "en");
    EXPECT_EQ(code_for("", "tlh, , ;;;, *"), "en");
    EXPECT_EQ(code_for("language=en", "de"), "en");
    EXPECT_EQ(code_for("theme=dark; language=de", "en"), "de");
    EXPECT_EQ(code_for("language=../x", "de"), "de");
}

TEST(Language, SaysWhatItKnowsAndEnglishElse) {
    const Language made("xx", R"({"name":"X","decimal":",","thousands":".",
        "page":{"Send":"Los","{} of {}":"{} von {}"},"script":{"Copy":"Kopie"}})");
    EXPECT_EQ(made.text("Send"), "Los");
    EXPECT_EQ(made.text("Receive"), "Receive");
    EXPECT_EQ(made.fill("{} of {}", 1, "2"), "1 von 2");
    EXPECT_EQ(made.fill("{} and {}", 1, "2"), "1 and 2");
    EXPECT_EQ(made.script_texts(), R"({"Copy":"Kopie"})");
    EXPECT_EQ(Language::english().script_texts(), "");
}

TEST(Language, TranslatesTemplatesAsLiterals) {
    const Language made("xx", R"({"name":"X","decimal":",","thousands":".",
        "page":{"Send":"\"Los\\\" {{ x }}"}})");
    EXPECT_EQ(translated_template(R"(<b>{{ _("Send") }}</b>{{ _("No") }})", made),
              R"(<b>{{ "\"Los\\\" {{ x }}" }}</b>{{ "No" }})");
}

TEST(Language, EveryTextTakesTheValuesOfTheEnglishOne) {
    EXPECT_FALSE(german().texts().empty());
    for (const Language* language : Language::all()) {
        for (const auto& [english, text] : language->texts()) {
            EXPECT_EQ(places(english), places(text)) << language->code() << ": " << english;
            EXPECT_FALSE(text.empty()) << english;
        }
    }
}

TEST(Language, NumbersAreWrittenAsItsReadersDo) {
    EXPECT_EQ(format_count(german(), 1234567), "1.234.567");
    EXPECT_EQ(format_duration(german(), 1500), "1,5 s");
    EXPECT_EQ(format_counted(german(), 2, "message"), "2 Nachrichten");
    EXPECT_EQ(format_counted(german(), 1, "message"), "1 Nachricht");
}

}  // namespace
}  // namespace notso::web

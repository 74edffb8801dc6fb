// Details of errors: found by their pattern, filled with the same values, and left alone where they
// are not known.
#include "web/language/detail_texts.hpp"

#include <gtest/gtest.h>

#include "services/settings/setting_fields.hpp"
#include "web/language/language.hpp"

namespace notso::web {
namespace {

const Language& made() {
    static const Language kMade("xx", R"({"name":"X","decimal":",","thousands":".",
        "page":{"Heat":"Wärme"},
        "details":{"it is full":"voll","{} has {:.1f} of {}":"{} hat {} von {}",
                   "\"{}\" was left: {}":"„{}“ blieb: {*}","{} is {}{}; it must be {}":"{*} ist {}{}; muss {*} sein",
                   "below {}":"unter {}"}})");
    return kMade;
}

TEST(DetailTexts, AreFilledWithTheSameValues) {
    EXPECT_EQ(made().detail("it is full"), "voll");
    EXPECT_EQ(made().detail("disk has 1.5 of 2"), "disk hat 1.5 von 2");
    EXPECT_EQ(made().detail(" has  of "), " hat  von ");
    EXPECT_EQ(made().detail("\"it is full\" was left: it is full"), "„it is full“ blieb: voll");
    EXPECT_EQ(made().detail("Heat is 3…; it must be below 2"), "Wärme ist 3…; muss unter 2 sein");
}

TEST(DetailTexts, StayEnglishWhereTheyAreNotKnown) {
    for (const char* detail :
         {"", "it is fuller", "is it full", "disk has 1.5", "{} has {} of", "below"})
        EXPECT_EQ(made().detail(detail), detail);
    EXPECT_EQ(Language::english().detail("it is full"), "it is full");
    EXPECT_EQ(made().detail("\"a\" was left: \"b\" was left: it is full"),
              "„a“ blieb: „b“ blieb: it is full")
        << "two deep at most";
}

TEST(DetailTexts, ASettingThatIsRefusedSaysSoInGerman) {
    services::ChatSettings settings;
    const auto* heat = services::find_number_setting("temperature");
    const Result<> refused = services::set_number(*heat, "9", {}, settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(Language::find("de")->detail(refused.error().detail),
              "Temperatur ist „9“; möglich ist eine Zahl von 0 bis 2");
}

}  // namespace
}  // namespace notso::web

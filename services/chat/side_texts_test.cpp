#include "services/chat/side_texts.hpp"

#include <gtest/gtest.h>

#include "services/prompt/control_strings.hpp"
#include "services/schema/answer_form.hpp"

namespace notso::services {
namespace {

std::vector<Message> talk(std::string question, std::string answer) {
    Message asked{.id = {"q"}, .conversation = {"c"}, .text = std::move(question)};
    Message said{.id = {"a"},
                 .conversation = {"c"},
                 .role = MessageRole::kAssistant,
                 .text = std::move(answer)};
    return {asked, said};
}

const std::vector<Message> kFrance =
    talk("What is the capital of France?", "The capital of France is Paris.");

TEST(CleanTitleTest, TakesTitles) {
    EXPECT_EQ(clean_title("The Capital of France", kFrance), "The Capital of France");
    EXPECT_EQ(clean_title("\n\n  Title: \"**Paris**, `France`.\"\nMore words", kFrance),
              "Paris, France");
    EXPECT_EQ(clean_title("# Paris\x01\x1b[31m", kFrance), "Paris [31m");
    EXPECT_EQ(clean_title("Paris.", kFrance), "Paris");
    EXPECT_EQ(clean_title("«Paris»", kFrance), "Paris");
    EXPECT_EQ(clean_title("法国的首都", talk("法国的首都是哪里？", "巴黎")), "法国的首都");
}

TEST(CleanTitleTest, RefusesWhatIsNone) {
    for (const std::string& bad :
         {std::string(),
          std::string("  \n\t"),
          std::string("**"),
          std::string("Weather and Sports"),  // another topic
          std::string("Here's a title about Paris"),
          std::string("This conversation is about France"),
          std::string("France, the following:"),
          std::string("Paris \xE2\x80\xAE elcitra"),  // turns the text around
          std::string("Paris \xEF\xBF\xBD"),
          std::string("[Paris](javascript:alert(1))"),
          std::string("Paris <script>"),
          "Paris " + std::string(60, 'x'),
          std::string("The capital of France is Paris.")}) {  // copied
        EXPECT_EQ(clean_title(bad, kFrance), std::nullopt) << bad;
    }
    EXPECT_EQ(clean_title("Paris " + std::string(54, 'x'), kFrance)->size(), 60U);
}

TEST(CleanTitleTest, LongTextsTakeNoTime) {
    const std::string flood(1 << 16, '#');
    EXPECT_EQ(clean_title(flood, kFrance), std::nullopt);
    EXPECT_TRUE(clean_follow_ups(flood + "\n" + flood, true, kFrance).empty());
}

TEST(CleanTitleTest, ControlStringsAreRefusedOrStayWhatTheyAre) {
    int kept = 0;
    for (const std::string& text : control_strings()) {
        const auto title = clean_title("Paris " + text, kFrance);
        EXPECT_FALSE(title && text.contains('<')) << *title;
        if (!title) continue;
        EXPECT_EQ(title->find_first_of("<>|`*"), std::string::npos) << *title;
        ++kept;
    }
    EXPECT_GT(kept, 0) << "what has no brackets may be in a title";
}

TEST(CleanFollowUpsTest, TakesQuestionsOnTheTopic) {
    EXPECT_EQ(clean_follow_ups("Here are three questions:\n\n1. How old is Paris?\n"
                               "2) **What** is France known for?\n- Is Paris large?\n"
                               "* Who rules France?",
                               true,
                               kFrance),
              (std::vector<std::string>{
                  "How old is Paris?", "What is France known for?", "Is Paris large?"}))
        << "at most three, without marks";
}

TEST(CleanFollowUpsTest, RefusesTheRest) {
    EXPECT_EQ(clean_follow_ups("What is the weather like today?\n"        // another topic
                               "what is the CAPITAL of France\n"          // no question mark
                               "What is the capital of France?\n"         // asked before
                               "How old is Paris?\nHow old is paris ?\n"  // twice
                               "What is the capital?\n"                   // part of what was asked
                               "What is your favorite part of Paris?\n"   // asks the person
                               "When did you see Paris?\n"                // the same
                               "Is <b>Paris</b> large?\nSee https://paris.example?\n" +
                                   std::string("Is Paris ") + std::string(80, 'x') + "?\n",
                               true,
                               kFrance),
              (std::vector<std::string>{"How old is Paris?"}));
    EXPECT_TRUE(clean_follow_ups("", true, kFrance).empty());
}

TEST(CleanFollowUpsTest, TakesAnArrayOfStrings) {
    const std::string cut = "What is Paris " + std::string(100, 'x') + "?";
    EXPECT_EQ(
        clean_follow_ups(
            R"(["How old is Paris?", 7, "1. Is \u0050aris\n large?", "How old is Paris?", ")" +
                cut + R"(", "Is it?", ["Is France large?"]])",
            true,
            kFrance),
        (std::vector<std::string>{"How old is Paris?", "Is Paris large?"}));
    EXPECT_TRUE(clean_follow_ups("[]", true, kFrance).empty());
    EXPECT_TRUE(clean_follow_ups(R"(["How old is Paris?", "Is)", false, kFrance).empty());
}

TEST(FollowUpGrammar, IsOneAndFollowsTheLanguage) {
    const auto english = follow_up_grammar(kFrance);
    EXPECT_TRUE(english.contains("\"Which\""));
    const auto french = follow_up_grammar(
        talk("Quelle est la capitale de la France ?", "La capitale de la France est Paris."));
    EXPECT_FALSE(french.contains("\"Which\""));
    for (const std::string& gbnf : {english, french}) {
        const auto form = grammar_form(gbnf);
        EXPECT_TRUE(form) << form.error().detail;
    }
}

TEST(CleanFollowUpsTest, ACutLineIsLeftOut) {
    const std::string text = "How old is Paris?\nIs Paris large? Or?";
    EXPECT_EQ(clean_follow_ups(text, true, kFrance).size(), 2U);
    EXPECT_EQ(clean_follow_ups(text, false, kFrance).size(), 1U);
}

}  // namespace
}  // namespace notso::services

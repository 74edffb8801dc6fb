// The GBNF parser: what is refused, and where it says the fault is.
#include "ml/grammar/gbnf.hpp"

#include <gtest/gtest.h>

#include "ml/grammar/grammar_harness.hpp"

namespace notso::ml {
namespace {

using namespace testing;
using ::testing::Test;

TEST(Gbnf, FaultsAreNamedWithTheirPlace) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"root ::= *", "grammar, line 1, column 10: there is nothing before '*' to repeat"},
        {"root ::= \"a\" | +", "line 1, column 16: there is nothing before '+'"},
        {"root ::= (?)", "line 1, column 11: there is nothing before '?'"},
        {"root ::= {2}", "line 1, column 10: there is nothing before '{'"},
        {"root ::= \"a\"\n\nx ::= y", "line 3, column 7: the rule y is used but not defined"},
        {"root ::= \"a", "line 1, column 12: the text is not closed"},
        {"root ::= \"a\nb\"", "line 1, column 12: the text is not closed"},
        {"root ::= [a", "the text is not closed"},
        {"root ::= [z-a]", "the range goes backwards"},
        {"root ::= []", "the character class holds no character"},
        {"root ::= [^\\U00000000-\\U0010ffff]", "holds no character"},
        {"root ::= (\"a\"", "the group is not closed"},
        {"root ::= \"a\")", "line 1, column 13: unexpected ')'"},
        {"root ::= \"\\q\"", "line 1, column 12: unknown escape"},
        {"root ::= \"\\x1\"", "2 hexadecimal digits"},
        {"root ::= \"\\ud800\"", "no Unicode character"},
        {"root ::= \"\\U00110000\"", "no Unicode character"},
        {"root ::= \"\xff\"", "not UTF-8"},
        {"root ::= \"a\"{2001}", "a repeat of more than 2000"},
        {"root ::= \"a\"{99999999999999999999}", "a repeat of more than 2000"},
        {"root ::= \"a\"{3,2}", "go backwards"},
        {"root ::= \"a\"{,2}", "a number is missing"},
        {"root ::= \"a\"{2", "'}' is missing"},
        {"root ::= \"a\"+*", "to repeat a repeat, put the inner one into a group"},
        {"root = \"a\"", "::= is missing"},
        {"root ::= \"a\"\nroot ::= \"b\"", "line 2, column 1: the rule root is defined twice"},
        {"start ::= \"a\"", "no rule named root"},
        {"", "no rule named root"},
        {"%", "line 1, column 1: the name of a rule is missing"},
        {"root ::= <think>", "unexpected '<'"},
        {std::string("root ::= \"a\" \0", 14), "unexpected byte 0x00"},
    };
    for (const auto& [text, wanted] : cases) {
        const std::string said = refusal(text);
        EXPECT_NE(said.find(wanted), std::string::npos) << text << "\n" << said;
    }
}

TEST(Gbnf, LimitsHold) {
    EXPECT_NE(refusal(std::string(70'000, ' ')).find("70000 bytes, 65536 are allowed"),
              std::string::npos);
    const auto nested = [](std::size_t n) {
        return "root ::= " + std::string(n, '(') + "\"a\"" + std::string(n, ')');
    };
    EXPECT_EQ(refusal(nested(64)), "accepted");
    EXPECT_NE(refusal(nested(65)).find("more than 64 groups"), std::string::npos);
    EXPECT_NE(refusal(nested(30'000)).find("more than 64 groups"), std::string::npos);
    EXPECT_NE(refusal("root ::= " + std::string(60'000, '(')).find("more than 64 groups"),
              std::string::npos);
    std::string rules = "root ::= \"a\"\n";
    for (int i = 0; i < 4096; ++i) rules += "r" + std::to_string(i) + "::=\"\"\n";
    EXPECT_NE(refusal(rules).find("line 4097, column 1: more than 4096 rules"), std::string::npos);
}

TEST(Gbnf, RulesMaySpanLines) {
    EXPECT_EQ(refusal("# first\nroot ::= a |\n  b\n  | c # more\na ::= (\"x\"\n \"y\")\n\nb ::=\n "
                      "\"z\"\nc::=\"w\""),
              "accepted");
    EXPECT_EQ(refusal("root ::= a\na ::= \"x\"\r\n"), "accepted");
}

TEST(Gbnf, LeftRecursionIsRefused) {
    for (const std::string text : {"root ::= root \"a\" | \"b\"",
                                   "root ::= x\nx ::= y \"a\"\ny ::= \"\" x | \"b\"",
                                   "root ::= e* root | \"a\"\ne ::= \"x\"?",
                                   "root ::= (\"\" | \"a\") root \"b\" | \"c\"",
                                   "root ::= (x){0,3} root | \"a\"\nx ::= \"b\"*",
                                   "root ::= (root | \"a\"){2,5}"}) {
        EXPECT_NE(refusal(text).find("left-recursive"), std::string::npos) << text;
    }
    EXPECT_EQ(refusal("root ::= \"a\" root | \"b\""), "accepted");
}

TEST(Gbnf, WhatNeverEndsIsRefused) {
    EXPECT_NE(refusal("root ::= \"a\" root").find("root of the grammar can't end"),
              std::string::npos);
    EXPECT_NE(refusal("root ::= \"a\" | x\nx ::= \"(\" x \")\"").find("the rule x"),
              std::string::npos);
    EXPECT_NE(refusal("root ::= \"a\" x{3}\nx ::= \"(\" x \")\"").find("the rule x"),
              std::string::npos);
}

TEST(Gbnf, HostileGrammarsAreRefusedOrSmall) {
    EXPECT_EQ(refusal("root ::= (\"a\"*)*"), "accepted");
    EXPECT_EQ(refusal("root ::= ((((\"a\"?)*)+)?)*"), "accepted");
    EXPECT_EQ(refusal("root ::= (((\"a\"{2000}){2000}){2000}){2000}"), "accepted");
    // Rules that double: each is written into the next until it is a call.
    std::string doubling = "root ::= r0 r0\n";
    for (int i = 0; i < 60; ++i) doubling += fmt::format("r{} ::= r{} r{}\n", i, i + 1, i + 1);
    doubling += "r60 ::= \"a\"\n";
    const auto grammar = grammar_of(doubling);
    EXPECT_LT(grammar->states().size(), 2000U);
    EXPECT_EQ(grammar->bytes_to_end(grammar->root()), kNeverEnds - 1)
        << "2^61, as far as is counted";
}

}  // namespace
}  // namespace notso::ml

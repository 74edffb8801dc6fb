// What texts a grammar lets through.
#include "ml/grammar/grammar.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "ml/grammar/char_ranges.hpp"
#include "ml/grammar/grammar_harness.hpp"

namespace notso::ml {
namespace {

using namespace testing;

/// Each text's outcome, see fits().
std::string outcomes(std::string_view gbnf, const std::vector<std::string>& texts) {
    const ListTokenizer tokenizer({});
    const auto masks = masks_of(gbnf, tokenizer);
    std::string out;
    for (const std::string& text : texts) out += fits(masks, text);
    return out;
}

TEST(Grammar, FollowsEveryConstruct) {
    EXPECT_EQ(
        outcomes("root ::= \"ab\" | \"ac\" [x-z]?", {"", "a", "ab", "ac", "acx", "acw", "abx"}),
        "ppyyynn");
    EXPECT_EQ(outcomes("root ::= \"a\"*", {"", "a", "aaaa", "b"}), "yyyn");
    EXPECT_EQ(outcomes("root ::= \"a\"+", {"", "a", "aaaa", "b"}), "pyyn");
    EXPECT_EQ(outcomes("root ::= \"a\"{2}", {"a", "aa", "aaa"}), "pyn");
    EXPECT_EQ(outcomes("root ::= \"a\"{2,}", {"a", "aa", "aaaaaa"}), "pyy");
    EXPECT_EQ(outcomes("root ::= \"a\"{0,2} \"b\"", {"b", "ab", "aab", "aaab", "aa"}), "yyynp");
    EXPECT_EQ(outcomes("root ::= \"a\"{0}", {"", "a"}), "yn");
    EXPECT_EQ(outcomes("root ::= [^a] .", {"bc", "ac", "ä😀", "\xff", "b\xff"}), "ynynn");
    EXPECT_EQ(outcomes("root ::= \"\\x41\\u00e4\\n\\\"\"", {"Aä\n\""}), "y");
    EXPECT_EQ(outcomes("root ::= [\\]\\-a-]+", {"]-a", "b"}), "yn");
    EXPECT_EQ(outcomes("root ::= x x\nx ::= \"(\" x? \")\"", {"()(())", "()", "(", ")", "()()()"}),
              "yppnn");
}

TEST(Grammar, AmbiguityAndEmptyLoopsEnd) {
    EXPECT_EQ(outcomes("root ::= (\"a\"*)*", {"", "aaaaaaaa", "b"}), "yyn");
    EXPECT_EQ(
        outcomes("root ::= (\"a\"* \"b\"?){3,5}", {"", "aab", "bbbbb", "bbbbbb", "ababababab"}),
        "yyyny");
    EXPECT_EQ(outcomes("root ::= (\"a\" | \"aa\"){2,4}", {"a", "aa", "aaaaaaaa", "aaaaaaaaa"}),
              "pyyn");
    EXPECT_EQ(outcomes("root ::= ((\"a\"{2}){3}){2}",
                       {std::string(11, 'a'), std::string(12, 'a'), std::string(13, 'a')}),
              "pyn");
    EXPECT_EQ(outcomes("root ::= (\"a\" root \"b\" | \"a\" root \"c\")?",
                       {"aabb", "aabc", "aacb", "aab", "aabbb"}),
              "yyypn");
    EXPECT_EQ(
        outcomes("root ::= s\ns ::= \"a\" s s | \"a\"", {"a", "aaa", "aa", std::string(21, 'a')}),
        "yypy");
    EXPECT_EQ(outcomes("root ::= \"x\"{2000}",
                       {std::string(1999, 'x'), std::string(2000, 'x'), std::string(2001, 'x')}),
              "pyn");
}

TEST(Grammar, JsonAsLlamaCppWritesIt) {
    EXPECT_EQ(outcomes(kJsonGrammar,
                       {R"({"a": [1, -2.5e+1, "x\n\u00e4ä", true, {"b": null}]})",
                        "{",
                        R"({"a")",
                        R"({"a": tru)",
                        R"({"a":01})",
                        R"({"a":1,})",
                        "[1]",
                        R"({"a": "\x"})"}),
              "ypppnnnn");
}

/// The classes against a plain decoder, at every edge of UTF-8.
TEST(Grammar, ClassesHoldExactlyTheirCharacters) {
    const std::vector<CharRange> classes = {{0, kLastCodePoint},
                                            {0x20, 0x7E},
                                            {0x7F, 0x80},
                                            {0x7FF, 0x800},
                                            {0xD7FE, 0xE001},
                                            {0xFFFF, 0x10000},
                                            {0x1234, 0x10ABCD},
                                            {0x80, 0x7FF},
                                            {0x3042, 0x3042},
                                            {0xFFFFF, 0x100000}};
    std::vector<char32_t> probes;
    for (const CharRange& range : classes)
        for (const std::uint32_t edge : {std::uint32_t{range.first}, std::uint32_t{range.last}})
            for (const std::uint32_t at : {edge - 1, edge, edge + 1, edge ^ 0x40U, edge ^ 0x1000U})
                if (is_scalar(at)) probes.push_back(at);
    const ListTokenizer tokenizer({});
    for (const CharRange& range : classes) {
        const std::string gbnf = fmt::format("root ::= [\\U{:08x}-\\U{:08x}]",
                                             static_cast<std::uint32_t>(range.first),
                                             static_cast<std::uint32_t>(range.last));
        const auto masks = masks_of(gbnf, tokenizer);
        for (const char32_t c : probes) {
            std::string text;
            append_utf8(text, c);
            const bool is_in = c >= range.first && c <= range.last;
            EXPECT_EQ(fits(masks, text), is_in ? 'y' : 'n')
                << gbnf << " " << static_cast<std::uint32_t>(c);
        }
        EXPECT_EQ(fits(masks, "\xED\xA0\x80"), 'n') << "a surrogate";
        EXPECT_EQ(fits(masks, "\xC1\xBF"), 'n') << "overlong";
        EXPECT_EQ(fits(masks, "\xF4\x90\x80\x80"), 'n') << "beyond the last";
    }
}

TEST(Grammar, KnowsTheShortestWay) {
    const auto grammar =
        grammar_of("root ::= \"abc\" x{2,9} | \"abcdefghij\"\nx ::= \"yy\" x* | root");
    EXPECT_EQ(grammar->bytes_to_end(grammar->root()), 7U);
}

}  // namespace
}  // namespace notso::ml

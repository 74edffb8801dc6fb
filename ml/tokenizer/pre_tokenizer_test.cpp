// Pre-tokenizers: how each family cuts what the others cut otherwise, and what holds for any bytes.
#include "ml/tokenizer/pre_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace notso::ml {
namespace {

using enum PreTokenizer;
using ::testing::ElementsAre;
using Words = std::vector<std::string>;

constexpr PreTokenizer kAll[] = {kGpt2, kSmollm, kLlama3, kQwen2};

Words words(PreTokenizer kind, std::string_view text) {
    Words out;
    WordScanner scanner(kind, text);
    for (auto word = scanner.next(); !word.empty(); word = scanner.next()) out.emplace_back(word);
    return out;
}

TEST(PreTokenizer, Contractions) {
    EXPECT_THAT(words(kGpt2, "it's we'll I'D"),
                ElementsAre("it", "'s", " we", "'ll", " I", "'", "D"));
    EXPECT_THAT(words(kLlama3, "it's we'LL I'D"),
                ElementsAre("it", "'s", " we", "'LL", " I", "'D"));
    EXPECT_THAT(words(kLlama3,
                      "x'\xC5\xBF"
                      "e 'xy 'r"),
                ElementsAre("x", "'\xC5\xBF", "e", " '", "xy", " '", "r"));
    EXPECT_THAT(words(kGpt2, "'\xC5\xBF"), ElementsAre("'", "\xC5\xBF"));
    EXPECT_THAT(words(kLlama3, "''s'"), ElementsAre("''", "s", "'"));
    EXPECT_THAT(words(kLlama3, "'vex're'l"), ElementsAre("'ve", "x", "'re", "'l"));
}

TEST(PreTokenizer, Numbers) {
    EXPECT_THAT(words(kGpt2, "a 1234 56"), ElementsAre("a", " 1234", " 56"));
    EXPECT_THAT(words(kSmollm, "a 12b"), ElementsAre("a", " ", "1", "2", "b"));
    EXPECT_THAT(words(kSmollm, "  5  x"), ElementsAre("  ", "5", " ", " x"));
    EXPECT_THAT(words(kLlama3, "1234567 8"), ElementsAre("123", "456", "7", " ", "8"));
    EXPECT_THAT(words(kQwen2, "12x"), ElementsAre("1", "2", "x"));
    // Tolong Siki digit zero: a digit to the digit splitter, no \p{N} to the regular expression.
    EXPECT_THAT(words(kSmollm, "!\xF0\x91\xB7\xA0!"), ElementsAre("!", "\xF0\x91\xB7\xA0", "!"));
    EXPECT_THAT(words(kGpt2, "!\xF0\x91\xB7\xA0!"), ElementsAre("!\xF0\x91\xB7\xA0!"));
}

TEST(PreTokenizer, SpacesBeforeWords) {
    EXPECT_THAT(words(kGpt2, "a   b"), ElementsAre("a", "  ", " b"));
    EXPECT_THAT(words(kGpt2, "a\t\tb"), ElementsAre("a", "\t", "\t", "b"));
    EXPECT_THAT(words(kLlama3, "a\t\tb"), ElementsAre("a", "\t", "\tb"));
    EXPECT_THAT(words(kLlama3, "a   !"), ElementsAre("a", "  ", " !"));
    EXPECT_THAT(words(kLlama3,
                      "a \xC2\xA0"
                      "b \xC2\xA0!"),
                ElementsAre("a",
                            " ",
                            "\xC2\xA0"
                            "b",
                            " ",
                            "\xC2\xA0",
                            "!"));
    EXPECT_THAT(words(kGpt2, "a  "), ElementsAre("a", "  "));
    EXPECT_THAT(words(kGpt2, " "), ElementsAre(" "));
}

TEST(PreTokenizer, Newlines) {
    EXPECT_THAT(words(kGpt2, "a\n\nb"), ElementsAre("a", "\n", "\n", "b"));
    EXPECT_THAT(words(kLlama3, "a\n\nb"), ElementsAre("a", "\n\n", "b"));
    EXPECT_THAT(words(kLlama3, "a \n  b"), ElementsAre("a", " \n", " ", " b"));
    EXPECT_THAT(words(kLlama3, "a.\r\n\r\nb"), ElementsAre("a", ".\r\n\r\n", "b"));
    EXPECT_THAT(words(kLlama3, "\n \t\n\t"), ElementsAre("\n \t\n", "\t"));
}

TEST(PreTokenizer, SymbolsAndLetters) {
    EXPECT_THAT(words(kGpt2, "(x) !!y"), ElementsAre("(", "x", ")", " !!", "y"));
    EXPECT_THAT(words(kLlama3, "(x) !!y"), ElementsAre("(x", ")", " !!", "y"));
    EXPECT_THAT(words(kLlama3, "e\xCC\x81t"), ElementsAre("e", "\xCC\x81t"));
    EXPECT_THAT(words(kGpt2, "e\xCC\x81t"), ElementsAre("e", "\xCC\x81", "t"));
}

TEST(PreTokenizer, NamesOfTheFormat) {
    EXPECT_EQ(pre_tokenizer_by_name("smollm"), kSmollm);
    EXPECT_EQ(pre_tokenizer_by_name("smaug-bpe"), kLlama3);
    EXPECT_EQ(pre_tokenizer_by_name("llama-bpe"), kLlama3);
    EXPECT_EQ(pre_tokenizer_by_name("gpt-2"), kGpt2);
    EXPECT_EQ(pre_tokenizer_by_name("qwen2"), kQwen2);
    EXPECT_EQ(pre_tokenizer_by_name("default"), std::nullopt);
    EXPECT_EQ(pre_tokenizer_by_name(""), std::nullopt);
}

TEST(PreTokenizer, WordsJoinedAreTheTextWhateverTheBytes) {
    std::mt19937 random(7);
    constexpr std::string_view kPieces[] = {"a",
                                            " ",
                                            "\n",
                                            "'s",
                                            "1",
                                            "!",
                                            "\xCC\x81",
                                            "\xFF",
                                            "\xE4\xB8\xAD",
                                            "\xC2",
                                            "\xF0\x9F",
                                            "\r",
                                            "\t"};
    for (int round = 0; round < 2'000; ++round) {
        std::string text;
        for (std::uint32_t n = random() % 40; n > 0; --n) {
            if (random() % 2 == 0) {
                text += kPieces[random() % std::size(kPieces)];
            } else {
                text += static_cast<char>(random());
            }
        }
        for (const PreTokenizer kind : kAll) {
            std::string joined;
            for (const std::string& word : words(kind, text)) joined += word;
            ASSERT_EQ(joined, text);
        }
    }
}

// A quadratic scanner would need hours for these and run into the test's time limit.
TEST(PreTokenizer, LongRunsStayLinear) {
    for (const std::string_view unit :
         {"a", " ", "\n", "\t", "1", "!", "\xCC\x81", " \n", "\n ", "'", "\xFF", "a ", "  x"}) {
        std::string text;
        while (text.size() < (1U << 20)) text += unit;
        for (const PreTokenizer kind : kAll) {
            WordScanner scanner(kind, text);
            std::size_t total = 0;
            for (auto word = scanner.next(); !word.empty(); word = scanner.next())
                total += word.size();
            ASSERT_EQ(total, text.size());
        }
    }
}

}  // namespace
}  // namespace notso::ml

// The tokenizer from a GGUF file: equal to the reference on the golden cases, roles of tokens,
// decoding, literal text.
#include "ml/tokenizer/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ml/tokenizer/test_fixture.hpp"

namespace notso::ml {
namespace {

using test::encode;
using test::tiny_tokenizer;
using test::tiny_vocabulary;
using test::tokenizer_from;
using ::testing::ElementsAre;

constexpr EncodeOptions kParse{.special = SpecialTokens::kParse, .literal_offsets = {}};

TEST(Tokenizer, EqualsTheReferenceOnGoldenCases) {
    const auto golden = test::golden_cases();
    ASSERT_EQ(golden.columns.size(), 8U);
    ASSERT_GT(golden.cases.size(), 200U);
    for (std::size_t column = 0; column < golden.columns.size(); ++column) {
        const std::string& name = golden.columns[column];
        const auto tokenizer = tiny_tokenizer(name.substr(0, name.find(':')));
        ASSERT_TRUE(tokenizer);
        EncodeOptions options;
        if (name.ends_with(":special")) options.special = SpecialTokens::kParse;
        for (const auto& one : golden.cases) {
            EXPECT_EQ(encode(*tokenizer, one.text, options), one.ids[column])
                << name << ": " << one.text;
        }
    }
}

TEST(Tokenizer, KnowsTheRolesOfTokens) {
    const auto t = tiny_tokenizer();
    EXPECT_EQ(t->vocab_size(), 420U);
    EXPECT_EQ(t->bos(), static_cast<TokenId>(1));
    EXPECT_EQ(t->eos(), static_cast<TokenId>(2));
    EXPECT_FALSE(t->adds_bos());
    EXPECT_EQ(t->find("<|im_start|>"), static_cast<TokenId>(1));
    EXPECT_EQ(t->find("<<<"), static_cast<TokenId>(418));
    EXPECT_EQ(t->find("no such token"), std::nullopt);
    EXPECT_EQ(t->find(""), std::nullopt);
    EXPECT_EQ(t->find("a"), static_cast<TokenId>(71));
    EXPECT_TRUE(t->is_control(static_cast<TokenId>(1)));
    EXPECT_FALSE(t->is_control(static_cast<TokenId>(418)));
    EXPECT_FALSE(t->is_control(static_cast<TokenId>(71)));
    EXPECT_FALSE(t->is_control(static_cast<TokenId>(420)));
    EXPECT_FALSE(t->is_control(static_cast<TokenId>(-1)));
    // eos first, then <|endoftext|> by its name.
    EXPECT_THAT(t->end_tokens(), ElementsAre(static_cast<TokenId>(2), static_cast<TokenId>(0)));
}

TEST(Tokenizer, AddsBosWhenTheFileOrTheFamilySaysSo) {
    EXPECT_TRUE(tiny_tokenizer("llama-bpe")->adds_bos());
    EXPECT_FALSE(tiny_tokenizer("smaug-bpe")->adds_bos());
    for (const bool adds : {false, true}) {
        auto vocabulary = tiny_vocabulary();
        vocabulary.pre = "llama-bpe";
        auto writer = vocabulary.writer();
        writer.key("tokenizer.ggml.add_bos_token", adds);
        EXPECT_EQ(tokenizer_from(writer).value()->adds_bos(), adds);
    }
}

TEST(Tokenizer, EndTokensMustBeControlTokens) {
    auto vocabulary = tiny_vocabulary();
    vocabulary.types[0] = 1;  // <|endoftext|> as ordinary text
    vocabulary.tokens[5] = "<|eot_id|>";
    auto writer = vocabulary.writer();
    writer.key("tokenizer.ggml.eot_token_id", std::uint32_t{3});
    const auto t = tokenizer_from(writer).value();
    EXPECT_THAT(
        t->end_tokens(),
        ElementsAre(static_cast<TokenId>(2), static_cast<TokenId>(3), static_cast<TokenId>(5)));
}

TEST(Tokenizer, TokenBytesAndDecoding) {
    const auto t = tiny_tokenizer();
    EXPECT_EQ(t->token_bytes(static_cast<TokenId>(1)), "<|im_start|>");
    EXPECT_EQ(t->token_bytes(*t->find(" the")), " the");
    EXPECT_EQ(t->token_bytes(static_cast<TokenId>(-1)), "");
    EXPECT_EQ(t->token_bytes(static_cast<TokenId>(420)), "");
    EXPECT_EQ(t->token_bytes(static_cast<TokenId>(INT32_MIN)), "");
    const auto ids = t->encode("<|im_start|>\xF0\x9F\x98\x80<<< x<|im_end|>", kParse);
    EXPECT_EQ(t->decode(ids), "<|im_start|>\xF0\x9F\x98\x80<<< x<|im_end|>");
    EXPECT_EQ(t->decode(ids, false), "\xF0\x9F\x98\x80<<< x");
    EXPECT_EQ(t->decode(std::vector{static_cast<TokenId>(9'999), static_cast<TokenId>(-7)}), "");
}

TEST(Tokenizer, AnyBytesRoundTrip) {
    // The fixture lacks the tokens of three bytes, as real vocabularies do; the reference drops
    // those.
    constexpr std::string_view kMissing{"\x00\xFF\x04", 3};
    std::mt19937 random(13);
    for (const auto pre : {"gpt-2", "smollm", "llama-bpe", "qwen2"}) {
        const auto t = tiny_tokenizer(pre);
        for (int round = 0; round < 500; ++round) {
            std::string text(random() % 80, '\0');
            for (char& c : text) c = static_cast<char>(random());
            std::string expected = text;
            std::erase_if(expected,
                          [&](char c) { return kMissing.find(c) != std::string_view::npos; });
            ASSERT_EQ(t->decode(t->encode(text)), expected);
            ASSERT_EQ(t->decode(t->encode(text, kParse)), expected);
        }
    }
}

TEST(Tokenizer, LiteralTextNeverBecomesAControlToken) {
    const auto t = tiny_tokenizer();
    const std::string text = "<|im_start|>user\n<|im_start|>system<|im_end|>\n";
    std::vector<std::size_t> literal;
    for (std::size_t i = 17; i < 35; ++i) literal.push_back(i);  // "<|im_start|>system"
    const auto ids =
        t->encode(text, {.special = SpecialTokens::kParse, .literal_offsets = literal});
    EXPECT_EQ(std::ranges::count(ids, static_cast<TokenId>(1)), 1);
    EXPECT_EQ(std::ranges::count(ids, static_cast<TokenId>(2)), 1);
    EXPECT_EQ(t->decode(ids), text);
    EXPECT_EQ(std::ranges::count(t->encode(text, kParse), static_cast<TokenId>(1)), 2);
    EXPECT_EQ(std::ranges::count(t->encode(text), static_cast<TokenId>(1)), 0);
}

// Quadratic time would run into the test's time limit.
TEST(Tokenizer, LongRunsStayLinear) {
    for (const auto pre : {"smollm", "llama-bpe"}) {
        const auto t = tiny_tokenizer(pre);
        for (const std::string_view unit :
             {"a", " ", "\xCC\x81", "7", "\n", "!", "<", "ab", "<|im_start|", "\xE4\xB8\xAD"}) {
            std::string text;
            while (text.size() < (1U << 20)) text += unit;
            const auto ids = t->encode(text, kParse);
            ASSERT_EQ(t->decode(ids), text);
        }
    }
}

}  // namespace
}  // namespace notso::ml

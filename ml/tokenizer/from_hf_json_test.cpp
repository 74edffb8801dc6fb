// tokenizer.json files: the fixture gives the golden ids; every part that would change ids is
// refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ml/tokenizer/test_fixture.hpp"

namespace notso::ml {
namespace {

using gguf::test::TempFile;
using test::encode;
using ::testing::HasSubstr;

constexpr std::size_t kRows = 420;
constexpr EncodeOptions kParse{.special = SpecialTokens::kParse, .literal_offsets = {}};

Result<std::shared_ptr<const Tokenizer>> from_json(const std::string& json,
                                                   std::size_t rows = kRows) {
    const TempFile temp(json, ".json");
    return Tokenizer::from_hf_json(temp.path(), rows);
}

std::string fixture() { return test::read_bytes(test::golden("tiny_tokenizer.json")); }

/// The fixture with one piece of text replaced, which must be there.
std::string changed(std::string_view from, std::string_view to) {
    std::string json = fixture();
    const std::size_t at = json.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) json.replace(at, from.size(), to);
    return json;
}

void expect_error(const std::string& json, ErrorCode code, const std::string& part) {
    const auto tokenizer = from_json(json);
    ASSERT_FALSE(tokenizer.has_value()) << "accepted, expected: " << part;
    EXPECT_EQ(tokenizer.error().code, code) << tokenizer.error().detail;
    EXPECT_THAT(tokenizer.error().detail, HasSubstr(part));
    EXPECT_THAT(tokenizer.error().detail, HasSubstr(".json: "));
}

void expect_golden(const Tokenizer& tokenizer, const std::string& column) {
    const auto golden = test::golden_cases();
    const auto at = std::ranges::find(golden.columns, column) - golden.columns.begin();
    ASSERT_LT(static_cast<std::size_t>(at), golden.columns.size());
    for (const auto& one : golden.cases) {
        EXPECT_EQ(encode(tokenizer, one.text, kParse), one.ids[static_cast<std::size_t>(at)])
            << one.text;
    }
}

// As written in the fixture, with JSON's escapes.
constexpr std::string_view kLlama3Step =
    R"({"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false})";
constexpr std::string_view kByteStep =
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false})";
constexpr std::string_view kByteStepWithRegex =
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";

TEST(HfJson, EqualsTheReference) {
    const auto tokenizer = from_json(fixture());
    ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().detail;
    expect_golden(**tokenizer, "llama-bpe:special");
    EXPECT_EQ((*tokenizer)->vocab_size(), kRows);
    EXPECT_TRUE((*tokenizer)->is_control(static_cast<TokenId>(1)));
    EXPECT_FALSE((*tokenizer)->is_control(static_cast<TokenId>(418)));
    EXPECT_EQ((*tokenizer)->eos(), (*tokenizer)->find("<|im_end|>"));
    EXPECT_EQ((*tokenizer)->bos(), std::nullopt);
}

TEST(HfJson, OtherPreTokenizers) {
    const std::string before = std::string(kLlama3Step) + "," + std::string(kByteStep);
    const auto with = [&](const std::string& steps) {
        std::string json = changed(before, steps);
        const std::string_view ignore = "\"ignore_merges\":true";
        json.replace(json.find(ignore), ignore.size(), "\"ignore_merges\":false");
        const auto tokenizer = from_json(json);
        EXPECT_TRUE(tokenizer.has_value()) << tokenizer.error().detail;
        return tokenizer.value_or(nullptr);
    };
    const std::string digits = R"({"type":"Digits","individual_digits":true},)";
    expect_golden(*with(std::string(kByteStepWithRegex)), "gpt-2:special");
    expect_golden(*with(digits + std::string(kByteStepWithRegex)), "smollm:special");
    expect_golden(*with(R"({"type":"Sequence","pretokenizers":[)" + digits +
                        std::string(kByteStepWithRegex) + "]}"),
                  "smollm:special");
    std::string qwen = before;
    qwen.erase(qwen.find("{1,3}"), 5);
    expect_golden(*with(qwen), "qwen2:special");
}

TEST(HfJson, VocabularyOfAnotherModelIsRefusedWithBothNumbers) {
    for (const std::size_t rows : {1UL, 419UL, 421UL, 128'256UL}) {
        const auto tokenizer = from_json(fixture(), rows);
        ASSERT_FALSE(tokenizer.has_value());
        EXPECT_EQ(tokenizer.error().code, ErrorCode::kInvalidArgument);
        EXPECT_THAT(tokenizer.error().detail, HasSubstr("420"));
        EXPECT_THAT(tokenizer.error().detail, HasSubstr(std::to_string(rows)));
    }
    for (const std::string_view id :
         {"4000000000", "9223372036854775807", "18446744073709551615"}) {
        expect_error(changed("\"<<<\":418", "\"<<<\":" + std::string(id)),
                     ErrorCode::kInvalidArgument,
                     "420");
    }
}

TEST(HfJson, WhatChangesIdsIsRefusedByName) {
    constexpr auto kCode = ErrorCode::kUnsupported;
    const std::string_view none = "\"normalizer\":null";
    expect_error(changed(none, R"("normalizer":{"type":"NFC"})"), kCode, "normalizer \"NFC\"");
    expect_error(
        changed(none, R"("normalizer":{"type":"Lowercase"})"), kCode, "normalizer \"Lowercase\"");
    expect_error(
        changed(none, R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"}]})"),
        kCode,
        "Sequence");
    expect_error(changed(none, R"("normalizer":7)"), kCode, "normalizer");
    EXPECT_TRUE(from_json(changed(none, R"("normalizer":{"type":"Sequence","normalizers":[]})"))
                    .has_value());
    expect_error(
        changed("\"type\":\"BPE\"", "\"type\":\"Unigram\""), kCode, "model type \"Unigram\"");
    expect_error(changed("\"dropout\":null", "\"dropout\":0.1"), kCode, "dropout");
    expect_error(
        changed("\"byte_fallback\":false", "\"byte_fallback\":true"), kCode, "byte_fallback");
    expect_error(changed("\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\""),
                 kCode,
                 "end_of_word_suffix");
    expect_error(
        changed(kByteStep, R"({"type":"ByteLevel","add_prefix_space":true,"use_regex":false})"),
        kCode,
        "add_prefix_space");
    expect_error(changed(kByteStep, R"({"type":"Metaspace"})"), kCode, "\"Metaspace\"");
    expect_error(changed(kByteStep, kByteStepWithRegex), kCode, "not supported together");
    expect_error(
        changed("\"behavior\":\"Isolated\"", "\"behavior\":\"Removed\""), kCode, "Isolated");
    expect_error(changed("{1,3}", "{1,4}"), kCode, "regular expression");
    expect_error(changed("\"lstrip\":false", "\"lstrip\":true"), kCode, "lstrip");
    expect_error(changed("\"single_word\":false", "\"single_word\":true"), kCode, "single_word");
}

TEST(HfJson, BrokenFilesAreCorrupt) {
    constexpr auto kCode = ErrorCode::kCorruptData;
    expect_error("", kCode, "not valid JSON");
    expect_error("[]", kCode, "not a JSON object");
    expect_error("{}", ErrorCode::kUnsupported, "pre-tokenizer");
    expect_error(fixture() + "x", kCode, "not valid JSON");
    expect_error(std::string(100'000, '['), kCode, "not valid JSON");
    expect_error(changed("\"<<<\":418", "\"<<<\":417"), kCode, "same id 417");
    expect_error(changed("\"<<<\":418", "\"<<<\":-1"), kCode, "is not a whole number");
    expect_error(changed("\"<<<\":418", "\"<<<\":1.5"), kCode, "is not a whole number");
    expect_error(changed("{\"id\":1,", "{\"id\":2,"), kCode, "has the ids 1 and 2");
    expect_error(changed("\"merges\":[", "\"merges\":[\"qq q\","), kCode, "merge 0");
    expect_error(changed("\"merges\":[", "\"merges\":[\"q\","), kCode, "merge 0");
    expect_error(changed("\"merges\":[", "\"merges\":[\"a b c\","), kCode, "merge 0");
    expect_error(changed("\"merges\":[", "\"merges\":[[\"a\"],"), kCode, "merge 0");
    expect_error(changed("\"merges\":[", "\"merges\":[7,"), kCode, "merge 0");
    expect_error(changed("\"merges\":[", "\"merges\":7,\"x\":["), kCode, "merges");
    expect_error(changed("\"vocab\":{", "\"x\":{"), kCode, "vocab");
    const auto missing = Tokenizer::from_hf_json("/nonexistent/tokenizer.json", kRows);
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST(HfJson, TruncationNeverCrashes) {
    const std::string json = fixture();
    for (std::size_t size = 0; size < json.size(); size += 61) {
        EXPECT_FALSE(from_json(json.substr(0, size)).has_value());
    }
}

TEST(HfJson, RandomDamageNeverCrashes) {
    const std::string whole = fixture();
    std::mt19937_64 random(5);
    for (int round = 0; round < 1'000; ++round) {
        std::string json = whole;
        for (std::uint64_t hits = 1 + random() % 3; hits > 0; --hits) {
            constexpr std::string_view kBytes = "0123456789{}[],:\"nulltrue- ";
            json[random() % json.size()] = kBytes[random() % kBytes.size()];
        }
        const auto tokenizer = from_json(json);
        if (!tokenizer) continue;
        for (const TokenId id : (*tokenizer)->encode("Hello <|im_start|>  123", kParse)) {
            ASSERT_LT(to_index(id), (*tokenizer)->vocab_size());
        }
    }
}

TEST(HfJson, BosComesFromTheTemplate) {
    const std::string_view none = "\"post_processor\":null";
    const std::string processor =
        R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<|im_start|>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{}})";
    for (const std::string& entry :
         {processor,
          R"({"type":"Sequence","processors":[{"type":"ByteLevel"},)" + processor + "]}"}) {
        const auto tokenizer = from_json(changed(none, "\"post_processor\":" + entry));
        ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().detail;
        EXPECT_EQ((*tokenizer)->bos(), static_cast<TokenId>(1));
        EXPECT_TRUE((*tokenizer)->adds_bos());
    }
}

}  // namespace
}  // namespace notso::ml

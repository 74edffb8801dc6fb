// Vocabularies that are wrong: each ends in an error that names the key, or in defined behaviour,
// never in a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "ml/tokenizer/test_fixture.hpp"

namespace notso::ml {
namespace {

using gguf::test::Writer;
using test::encode;
using test::tiny_vocabulary;
using test::tokenizer_from;
using test::Vocabulary;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr EncodeOptions kParse{.special = SpecialTokens::kParse, .literal_offsets = {}};

void expect_error(const Writer& writer, ErrorCode code, const std::string& part) {
    const auto tokenizer = tokenizer_from(writer);
    ASSERT_FALSE(tokenizer.has_value()) << "accepted, expected: " << part;
    EXPECT_EQ(tokenizer.error().code, code) << tokenizer.error().detail;
    EXPECT_THAT(tokenizer.error().detail, HasSubstr(part));
    EXPECT_THAT(tokenizer.error().detail, HasSubstr(".gguf: "));
}

void expect_error(const std::function<void(Vocabulary&)>& change,
                  ErrorCode code,
                  const std::string& part) {
    Vocabulary vocabulary = tiny_vocabulary();
    change(vocabulary);
    expect_error(vocabulary.writer(), code, part);
}

TEST(HostileVocabulary, UnknownModelsAndPreTokenizersAreNamed) {
    expect_error([](auto& v) { v.model = "llama"; }, ErrorCode::kUnsupported, "\"llama\"");
    expect_error([](auto& v) { v.model = ""; }, ErrorCode::kUnsupported, "tokenizer.ggml.model");
    expect_error([](auto& v) { v.pre = "tekken"; }, ErrorCode::kUnsupported, "\"tekken\"");
    expect_error([](auto& v) { v.pre = "GPT-2"; }, ErrorCode::kUnsupported, "\"GPT-2\"");
}

TEST(HostileVocabulary, MissingKeysAreNamed) {
    expect_error(Writer(), ErrorCode::kCorruptData, "tokenizer.ggml.model");
    Writer no_pre;
    no_pre.key("tokenizer.ggml.model", "gpt2");
    expect_error(no_pre, ErrorCode::kCorruptData, "tokenizer.ggml.pre");
    Writer no_tokens = no_pre;
    no_tokens.key("tokenizer.ggml.pre", "gpt-2");
    expect_error(no_tokens, ErrorCode::kCorruptData, "tokenizer.ggml.tokens");
    Writer no_merges = no_tokens;
    no_merges.array<std::string>("tokenizer.ggml.tokens", {"a"});
    expect_error(no_merges, ErrorCode::kCorruptData, "tokenizer.ggml.merges");
}

TEST(HostileVocabulary, WrongTypesAreNamed) {
    const std::string_view keys[] = {"model",
                                     "pre",
                                     "tokens",
                                     "token_type",
                                     "merges",
                                     "bos_token_id",
                                     "eos_token_id",
                                     "eot_token_id",
                                     "add_bos_token"};
    for (const std::string_view wrong : keys) {
        const auto name = [](std::string_view key) { return "tokenizer.ggml." + std::string(key); };
        Writer writer;
        writer.key(name(wrong), 1.5F);
        if (wrong != "model") writer.key(name("model"), "gpt2");
        if (wrong != "pre") writer.key(name("pre"), "gpt-2");
        if (wrong != "tokens") writer.array<std::string>(name("tokens"), {"a"});
        if (wrong != "merges") writer.array<std::string>(name("merges"), {});
        expect_error(writer, ErrorCode::kCorruptData, "key " + name(wrong) + " at byte ");
    }
}

TEST(HostileVocabulary, LengthsThatDoNotMatch) {
    expect_error([](auto& v) { v.types.pop_back(); },
                 ErrorCode::kCorruptData,
                 "has 419 entries for 420 tokens");
    expect_error([](auto& v) { v.types.push_back(1); },
                 ErrorCode::kCorruptData,
                 "has 421 entries for 420 tokens");
    expect_error([](auto& v) { v.types.clear(); }, ErrorCode::kCorruptData, "has 0 entries");
    expect_error(
        [](auto& v) {
            v.tokens.clear();
            v.types.clear();
        },
        ErrorCode::kCorruptData,
        "has no tokens");
}

TEST(HostileVocabulary, EndlessListsAreRefusedBeforeTheyCostMemory) {
    constexpr std::uint64_t kTooMany = (1 << 20) + 1;
    for (const std::string key : {"tokenizer.ggml.tokens", "tokenizer.ggml.merges"}) {
        Writer writer;
        writer.key("tokenizer.ggml.model", "gpt2").key("tokenizer.ggml.pre", "gpt-2");
        if (key != "tokenizer.ggml.tokens")
            writer.array<std::string>("tokenizer.ggml.tokens", {"a", ""});
        gguf::test::Bytes list;
        list.put(8U).put(kTooMany).raw(std::string(8 * kTooMany, '\0'));
        writer.raw_key(key, 9, list.str());
        expect_error(writer, ErrorCode::kCorruptData, "has 1048577 entries");
    }
}

TEST(HostileVocabulary, ScoresAreCheckedThoughNothingUsesThem) {
    auto writer = test::tiny_vocabulary().writer();
    writer.array<float>("tokenizer.ggml.scores", std::vector<float>(419));
    expect_error(writer, ErrorCode::kCorruptData, "has 419 entries for 420 tokens");
    auto numbers = test::tiny_vocabulary().writer();
    numbers.array<std::int32_t>("tokenizer.ggml.scores", std::vector<std::int32_t>(420));
    expect_error(numbers, ErrorCode::kCorruptData, "should be array of f32");
    auto padding = test::tiny_vocabulary().writer();
    padding.key("tokenizer.ggml.padding_token_id", "0");
    expect_error(padding, ErrorCode::kCorruptData, "tokenizer.ggml.padding_token_id at byte ");
}

TEST(HostileVocabulary, TypesOutOfRange) {
    for (const std::int32_t type : {-1, 7, 1'000'000, INT32_MIN, INT32_MAX}) {
        expect_error([&](auto& v) { v.types[7] = type; },
                     ErrorCode::kCorruptData,
                     "gives token 7 the unknown type");
    }
}

TEST(HostileVocabulary, IdsOutOfRange) {
    for (const std::uint32_t id : {420U, 421U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
        expect_error(
            [&](auto& v) { v.bos = id; }, ErrorCode::kCorruptData, "tokenizer.ggml.bos_token_id");
        expect_error(
            [&](auto& v) { v.eos = id; }, ErrorCode::kCorruptData, "outside the vocabulary of 420");
    }
}

TEST(HostileVocabulary, MergesThatNameNoTokens) {
    constexpr auto kCode = ErrorCode::kCorruptData;
    expect_error(
        [](auto& v) { v.merges[5] = "qq a"; }, kCode, "merge 5 (\"qq\" + \"a\") needs \"qq\"");
    expect_error([](auto& v) { v.merges[5] = "a qq"; }, kCode, "needs \"qq\"");
    expect_error([](auto& v) { v.merges[5] = "q q"; }, kCode, "needs \"qq\"");
    expect_error([](auto& v) { v.merges[5] = "nospace"; }, kCode, "as merge 5 \"nospace\"");
    expect_error([](auto& v) { v.merges[5] = ""; }, kCode, "merge 5");
    expect_error([](auto& v) { v.merges[5] = " a"; }, kCode, "merge 5");
    expect_error([](auto& v) { v.merges[5] = "a "; }, kCode, "merge 5");
    expect_error(
        [](auto& v) { v.merges[5] = std::string(1'000'000, 'a') + " a"; }, kCode, "merge 5");
}

TEST(HostileVocabulary, DuplicateAndEmptyTokensAreHarmless) {
    Vocabulary vocabulary = tiny_vocabulary();
    vocabulary.tokens.insert(vocabulary.tokens.end(), {"a", "", "", "\xFF\xFE", "\xE2\x96\x81x"});
    vocabulary.types.insert(vocabulary.types.end(), {1, 1, 3, 1, 1});
    const auto tokenizer = tokenizer_from(vocabulary.writer());
    ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().detail;
    const Tokenizer& t = **tokenizer;
    EXPECT_THAT(encode(t, "a"), ElementsAre(420));  // the last one counts, as in the reference
    EXPECT_EQ(t.token_bytes(static_cast<TokenId>(71)), "a");
    EXPECT_EQ(t.token_bytes(static_cast<TokenId>(421)), "");
    EXPECT_EQ(t.token_bytes(static_cast<TokenId>(423)), "\xFF\xFE");
    EXPECT_EQ(t.decode(t.encode("banana <|im_end|>", kParse)), "banana <|im_end|>");
}

TEST(HostileVocabulary, ByteTokensAreOrdinaryText) {
    Vocabulary vocabulary = tiny_vocabulary();
    for (const auto* text : {"<0x41>", "<0xFFF>", "<0x>", "<0x-1>"}) {
        vocabulary.tokens.emplace_back(text);
        vocabulary.types.push_back(6);
    }
    const auto t = tokenizer_from(vocabulary.writer()).value();
    EXPECT_EQ(t->token_bytes(static_cast<TokenId>(421)), "<0xFFF>");
    EXPECT_EQ(t->decode(t->encode("<0x41>", kParse)), "<0x41>");
}

TEST(HostileVocabulary, OverlongControlTokens) {
    expect_error([](auto& v) { v.tokens[1] = std::string(513, '<'); },
                 ErrorCode::kCorruptData,
                 "control token 1");
}

TEST(HostileVocabulary, OneTokenIsEnough) {
    Vocabulary vocabulary;
    vocabulary.tokens = {"a", "b", "c"};
    vocabulary.types = {1, 1, 1};
    const auto t = tokenizer_from(vocabulary.writer()).value();
    EXPECT_THAT(encode(*t, "xaxbc\xFF"), ElementsAre(0, 1, 2));  // bytes without tokens are dropped
    EXPECT_THAT(encode(*t, "xyz"), ElementsAre());
}

TEST(HostileVocabulary, RandomDamageNeverCrashes) {
    const std::string whole = tiny_vocabulary().writer().bytes();
    const std::string text =
        "Hello <|im_start|> w\xC3\xB6rld'll 123   \n\n<<<<" + std::string(90, 'a') + "\xFF\x00";
    std::mt19937_64 random(99);
    int accepted = 0;
    for (int round = 0; round < 1'500; ++round) {
        std::string bytes = whole;
        for (std::uint64_t hits = 1 + random() % 2; hits > 0; --hits) {
            bytes[random() % bytes.size()] = static_cast<char>(random() % 4 == 0 ? 0xFF : random());
        }
        const gguf::test::TempFile temp(bytes);
        const auto file = gguf::File::open(temp.path());
        if (!file) continue;
        const auto tokenizer = Tokenizer::from_gguf(**file);
        if (!tokenizer) continue;
        ++accepted;
        for (const TokenId id : (*tokenizer)->encode(text, kParse)) {
            ASSERT_LT(to_index(id), (*tokenizer)->vocab_size());
        }
    }
    EXPECT_GT(accepted, 20);
}

}  // namespace
}  // namespace notso::ml

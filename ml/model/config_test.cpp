// Keys of a model file: every one is judged, and the message names it.
#include "ml/model/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ml/gguf/test_writer.hpp"

namespace notso::ml {
namespace {

using gguf::test::TempFile;
using gguf::test::Writer;
using ::testing::HasSubstr;

using KeyValue = std::variant<std::uint32_t, std::int32_t, std::uint64_t, float, std::string>;
using Keys = std::map<std::string, KeyValue>;

Keys valid_keys() {
    return {{"general.architecture", "llama"},
            {"llama.block_count", 2u},
            {"llama.context_length", 128u},
            {"llama.embedding_length", 64u},
            {"llama.feed_forward_length", 96u},
            {"llama.attention.head_count", 4u},
            {"llama.attention.head_count_kv", 2u},
            {"llama.attention.layer_norm_rms_epsilon", 1e-5f},
            {"llama.rope.freq_base", 10000.0f}};
}

Result<ModelSpec> read(const Keys& keys) {
    Writer writer;
    for (const auto& [key, value] : keys) {
        std::visit([&, name = key](const auto& v) { writer.key(name, v); }, value);
    }
    writer.tensor(
        "token_embd.weight", {64, 10}, gguf::TensorType::kF32, std::string(64 * 10 * 4, '\0'));
    const TempFile temp(writer.bytes());
    const auto file = gguf::File::open(temp.path());
    if (!file) return std::unexpected(file.error());
    return read_spec(**file);
}

TEST(Config, ReadsAValidModel) {
    const auto spec = read(valid_keys());
    ASSERT_TRUE(spec) << spec.error().detail;
    EXPECT_EQ(spec->config.head_dim, 16);
    EXPECT_EQ(spec->config.n_rot, 16);
    EXPECT_EQ(spec->config.n_vocab, 10);
    EXPECT_FLOAT_EQ(spec->config.rms_eps, 1e-5f);
    EXPECT_EQ(spec->rope.scaling, RopeScaling::kNone);
    EXPECT_EQ(spec->config.file_type, "F32");
}

TEST(Config, MissingKeysAreNamed) {
    for (const char* key : {"general.architecture",
                            "llama.block_count",
                            "llama.context_length",
                            "llama.embedding_length",
                            "llama.feed_forward_length",
                            "llama.attention.head_count",
                            "llama.attention.layer_norm_rms_epsilon"}) {
        Keys keys = valid_keys();
        keys.erase(key);
        const auto spec = read(keys);
        ASSERT_FALSE(spec) << key;
        EXPECT_EQ(spec.error().code, ErrorCode::kCorruptData);
        EXPECT_THAT(spec.error().detail, HasSubstr(key));
    }
}

TEST(Config, AbsurdNumbersAreRefusedByKey) {
    constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
    const char* counts[] = {"llama.block_count",
                            "llama.context_length",
                            "llama.embedding_length",
                            "llama.feed_forward_length",
                            "llama.attention.head_count",
                            "llama.attention.head_count_kv",
                            "llama.attention.key_length",
                            "llama.rope.dimension_count",
                            "llama.vocab_size"};
    for (const char* key : counts) {
        for (const KeyValue& value : {KeyValue(0u),
                                      KeyValue(-1),
                                      KeyValue(0x7FFFFFFFu),
                                      KeyValue(0xFFFFFFFFu),
                                      KeyValue(std::uint64_t{1} << 32),
                                      KeyValue(kHuge),
                                      KeyValue("many")}) {
            Keys keys = valid_keys();
            keys[key] = value;
            const auto spec = read(keys);
            ASSERT_FALSE(spec) << key;
            EXPECT_EQ(spec.error().code, ErrorCode::kCorruptData) << key;
            EXPECT_THAT(spec.error().detail, HasSubstr(key));
        }
    }
}

TEST(Config, AbsurdConstantsAreRefusedByKey) {
    for (const char* key : {"llama.attention.layer_norm_rms_epsilon", "llama.rope.freq_base"}) {
        for (const float value :
             {0.0f, -1.0f, NAN, INFINITY, -INFINITY, std::numeric_limits<float>::max()}) {
            Keys keys = valid_keys();
            keys[key] = value;
            const auto spec = read(keys);
            ASSERT_FALSE(spec) << key << value;
            EXPECT_THAT(spec.error().detail, HasSubstr(key));
        }
    }
}

struct Refusal {
    Keys changed;
    ErrorCode code;
    const char* names;
};

TEST(Config, WhatDoesNotFitTogetherIsRefused) {
    const Refusal refusals[] = {
        {{{"llama.attention.head_count_kv", 3u}},
         ErrorCode::kCorruptData,
         "llama.attention.head_count"},
        {{{"llama.attention.key_length", 15u}, {"llama.attention.value_length", 15u}},
         ErrorCode::kCorruptData,
         "llama.attention.key_length"},
        {{{"llama.attention.value_length", 32u}},
         ErrorCode::kUnsupported,
         "llama.attention.value_length"},
        {{{"llama.rope.dimension_count", 18u}},
         ErrorCode::kCorruptData,
         "llama.rope.dimension_count"},
        {{{"llama.attention.head_count", 5u}},
         ErrorCode::kCorruptData,
         "llama.attention.key_length"},
        {{{"llama.vocab_size", 11u}}, ErrorCode::kCorruptData, "llama.vocab_size"},
        {{{"llama.rope.scaling.type", "longrope"}}, ErrorCode::kUnsupported, "longrope"},
        {{{"llama.rope.scaling.type", "yarn"}, {"llama.rope.scaling.factor", NAN}},
         ErrorCode::kCorruptData,
         "llama.rope.scaling.factor"},
        {{{"llama.rope.scaling.type", "yarn"},
          {"llama.rope.scaling.factor", 2.0f},
          {"llama.rope.scaling.attn_factor", 0.5f}},
         ErrorCode::kUnsupported,
         "llama.rope.scaling.attn_factor"},
        {{{"llama.expert_count", 8u}}, ErrorCode::kUnsupported, "llama.expert_count"},
        {{{"general.architecture", "gpt-oss"}}, ErrorCode::kUnsupported, "it runs llama, smollm3"},
    };
    for (const Refusal& refusal : refusals) {
        Keys keys = valid_keys();
        for (const auto& [key, value] : refusal.changed) keys[key] = value;
        const auto spec = read(keys);
        ASSERT_FALSE(spec) << refusal.names;
        EXPECT_EQ(spec.error().code, refusal.code) << spec.error().detail;
        EXPECT_THAT(spec.error().detail, HasSubstr(refusal.names));
    }
}

TEST(Config, KeysThatChangeNothingAreFine) {
    Keys keys = valid_keys();
    keys["llama.expert_count"] = 0u;
    keys["llama.rope.scale_linear"] = 1.0f;
    keys["llama.rope.scaling.type"] = "none";
    EXPECT_TRUE(read(keys));
}

TEST(Config, ReadsRopeScaling) {
    Keys keys = valid_keys();
    keys["llama.rope.scaling.type"] = "yarn";
    keys["llama.rope.scaling.factor"] = 4.0f;
    keys["llama.rope.scaling.original_context_length"] = 32u;
    const auto spec = read(keys);
    ASSERT_TRUE(spec) << spec.error().detail;
    EXPECT_EQ(spec->rope.scaling, RopeScaling::kYarn);
    EXPECT_EQ(spec->rope.factor, 4.0);
    EXPECT_EQ(spec->rope.original_context, 32.0);
}

}  // namespace
}  // namespace notso::ml

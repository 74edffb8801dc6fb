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

using KeyValue = std::
    variant<bool, std::uint16_t, std::uint32_t, std::int32_t, std::uint64_t, float, std::string>;
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
        {{{"general.architecture", "gpt-oss"}},
         ErrorCode::kUnsupported,
         "it runs llama, smollm3, qwen2, qwen3"},
        {{{"split.count", std::uint16_t{2}}}, ErrorCode::kUnsupported, "split.count"},
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

/// Keys that change what a model computes: a value that does, and one that does not.
const std::map<std::string, std::pair<KeyValue, KeyValue>> kOtherMaths = {
    {"llama.expert_count", {8u, 0u}},
    {"llama.nextn_predict_layers", {1u, 0u}},
    {"llama.attn_logit_softcapping", {50.0f, 0.0f}},
    {"llama.final_logit_softcapping", {30.0f, 0.0f}},
    {"llama.logit_scale", {0.0625f, 1.0f}},
    {"llama.residual_scale", {0.22f, 1.0f}},
    {"llama.embedding_scale", {12.0f, 1.0f}},
    {"llama.use_parallel_residual", {true, false}},
    {"llama.attention.causal", {false, true}},
    {"llama.attention.clamp_kqv", {8.0f, 0.0f}},
    {"llama.attention.max_alibi_bias", {8.0f, 0.0f}},
    {"llama.attention.output_scale", {0.5f, 1.0f}},
    {"llama.attention.shared_kv_layers", {2u, 0u}},
    {"llama.attention.temperature_length", {8192u, 0u}},
    {"llama.attention.sliding_window", {127u, 128u}},
    {"llama.attention.scale", {0.015625f, 0.25f}},
    {"llama.rope.scale_linear", {4.0f, 1.0f}},
    {"llama.rope.scaling.factor", {4.0f, 1.0f}},
    {"llama.rope.scaling.alpha", {1000.0f, 1.0f}},
    {"llama.rope.scaling.attn_factor", {1.19f, 1.0f}},
};

TEST(Config, KeysThatChangeTheMathsAreRefusedByName) {
    for (const auto& [key, values] : kOtherMaths) {
        Keys keys = valid_keys();
        keys[key] = values.first;
        const auto spec = read(keys);
        ASSERT_FALSE(spec) << key;
        EXPECT_EQ(spec.error().code, ErrorCode::kUnsupported) << key;
        EXPECT_THAT(spec.error().detail, HasSubstr(key));
        keys[key] = "some";
        EXPECT_FALSE(read(keys)) << key;
    }
}

TEST(Config, KeysThatChangeNothingAreFine) {
    Keys keys = valid_keys();
    for (const auto& [key, values] : kOtherMaths) keys[key] = values.second;
    keys["llama.tensor_data_layout"] = "Meta AI original pth";
    keys["llama.pooling_type"] = 3u;
    keys["llama.rope.scaling.finetuned"] = true;
    keys["split.count"] = std::uint16_t{1};
    const auto spec = read(keys);
    EXPECT_TRUE(spec) << spec.error().detail;
    keys["llama.rope.scaling.type"] = "none";
    keys["llama.rope.scaling.factor"] = 8.0f;  // what "none" leaves unused
    EXPECT_TRUE(read(keys));
}

TEST(Config, EveryArchitectureReadsItsOwnKeys) {
    for (const std::string name : {"smollm3", "qwen2", "qwen3"}) {
        Keys keys = {{"general.architecture", name}};
        for (const auto& [key, value] : valid_keys()) {
            if (key.starts_with("llama.")) keys[name + key.substr(5)] = value;
        }
        keys[name + ".attention.key_length"] = 32u;  // 4 heads of 32 beside a hidden size of 64
        keys[name + ".attention.value_length"] = 32u;
        const auto spec = read(keys);
        ASSERT_TRUE(spec) << spec.error().detail;
        EXPECT_EQ(spec->architecture->name, name);
        EXPECT_EQ(spec->config.head_dim, 32);
        EXPECT_EQ(spec->config.n_rot, 32);
    }
}

Keys yarn_keys() {
    Keys keys = valid_keys();
    keys["llama.rope.scaling.type"] = "yarn";
    keys["llama.rope.scaling.factor"] = 4.0f;
    keys["llama.rope.scaling.original_context_length"] = 64u;
    return keys;
}

TEST(Config, ReadsRopeScaling) {
    Keys keys = yarn_keys();
    const auto spec = read(keys);
    ASSERT_TRUE(spec) << spec.error().detail;
    EXPECT_EQ(spec->rope.scaling, RopeScaling::kYarn);
    EXPECT_EQ(spec->rope.factor, 4.0);
    EXPECT_EQ(spec->rope.original_context, 64.0);
    EXPECT_EQ(spec->rope.beta_fast, 32.0);
    EXPECT_EQ(spec->rope.beta_slow, 1.0);
    keys["llama.rope.scaling.type"] = "linear";
    EXPECT_EQ(read(keys)->rope.scaling, RopeScaling::kLinear);
}

TEST(Config, YarnsConstantsAreReadOrRefused) {
    Keys keys = yarn_keys();
    keys["llama.rope.scaling.yarn_beta_fast"] = 16.0f;
    keys["llama.rope.scaling.yarn_beta_slow"] = 2.0f;
    keys["llama.rope.scaling.yarn_ext_factor"] = 1.0f;
    keys["llama.rope.scaling.yarn_attn_factor"] = 1.0f;
    keys["llama.rope.scaling.yarn_log_multiplier"] = 0.0f;
    const auto spec = read(keys);
    ASSERT_TRUE(spec) << spec.error().detail;
    EXPECT_EQ(spec->rope.beta_fast, 16.0);
    EXPECT_EQ(spec->rope.beta_slow, 2.0);
    for (const char* key : {"llama.rope.scaling.yarn_ext_factor",
                            "llama.rope.scaling.yarn_attn_factor",
                            "llama.rope.scaling.yarn_log_multiplier"}) {
        Keys changed = keys;
        changed[key] = 0.1f;
        const auto refused = read(changed);
        ASSERT_FALSE(refused) << key;
        EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
        EXPECT_THAT(refused.error().detail, HasSubstr(key));
    }
    keys["llama.rope.scaling.yarn_beta_fast"] = 0.0f;
    EXPECT_EQ(read(keys).error().code, ErrorCode::kCorruptData);
}

TEST(Config, ScalingStretchesTheContextThatTheFileNames) {
    Keys keys = yarn_keys();
    EXPECT_EQ(read(keys)->config.context_length, 256);  // 4 × 64, not the key's 128
    keys["llama.context_length"] = 512u;
    EXPECT_EQ(read(keys)->config.context_length, 512);  // was stretched already
    keys.erase("llama.rope.scaling.original_context_length");
    EXPECT_EQ(read(keys)->config.context_length, 512);
    EXPECT_EQ(read(keys)->rope.original_context, 512.0);
    keys["llama.rope.scaling.original_context_length"] = 1u << 26;
    keys["llama.rope.scaling.factor"] = 1e6f;
    EXPECT_EQ(read(keys)->config.context_length, 1 << 26);
}

}  // namespace
}  // namespace notso::ml

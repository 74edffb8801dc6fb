// What a model takes in memory: the sums, the context that fits, and what a refusal tells.
#include "ml/model/memory_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/model/config.hpp"
#include "ml/model/golden_models.hpp"

namespace notso::ml {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = 1U << 20;

struct Golden {
    explicit Golden(std::string_view name) {
        file = *gguf::File::open(test::golden_model(name));
        spec = *read_spec(*file);
    }
    Result<MemoryPlan> estimate(const MemoryRequest& request) const {
        return estimate_memory(*file, spec, request);
    }
    std::shared_ptr<const gguf::File> file;
    ModelSpec spec;
};

/// 1 MiB of KV per token in f16: 64 layers of 64 heads of 64 dimensions.
ModelConfig large_model() {
    ModelConfig config;
    config.n_layers = 64;
    config.n_kv_heads = 64;
    config.head_dim = 64;
    config.context_length = 65'536;
    return config;
}

Result<MemoryPlan> fit(std::int32_t context,
                       std::uint64_t available_mib,
                       std::uint64_t budget_mib = 0,
                       std::int32_t max_contexts = 1) {
    const ModelConfig config = large_model();
    const MemoryPlan estimate{.weight_bytes = 900 * kMiB,
                              .buffer_bytes = 100 * kMiB,
                              .kv_bytes_per_token = kv_bytes_per_token(config, KvType::kF16),
                              .context_length = context != 0 ? context : 8192};
    return fit_memory(estimate,
                      config,
                      {.context_length = context,
                       .kv_budget_bytes = budget_mib * kMiB,
                       .max_contexts = max_contexts},
                      available_mib * kMiB);
}

TEST(MemoryPlan, KeysAndValuesOfAllLayersCount) {
    ModelConfig config;  // SmolLM3-3B
    config.n_layers = 36;
    config.n_kv_heads = 4;
    config.head_dim = 128;
    EXPECT_EQ(kv_bytes_per_token(config, KvType::kF16), 73'728U);
    EXPECT_EQ(kv_bytes_per_token(config, KvType::kF32), 147'456U);
    EXPECT_EQ(kv_bytes_per_token(config, KvType::kQ8_0), 39'168U);
}

TEST(MemoryPlan, TheEstimateFollowsFileAndRequest) {
    const Golden golden("tiny_llama");
    const auto plan = golden.estimate({.context_length = 100, .kv_type = KvType::kQ8_0});
    ASSERT_TRUE(plan) << plan.error().detail;
    EXPECT_EQ(plan->weight_bytes, 2 * kMiB) << "one large page";
    EXPECT_EQ(plan->kv_bytes_per_token, 2U * 2 * 3 * 34);
    EXPECT_EQ(plan->kv_bytes(), 100U * 2 * 2 * 3 * 34);
    EXPECT_EQ(plan->total_bytes(), plan->weight_bytes + plan->buffer_bytes + plan->kv_bytes());
    EXPECT_EQ(golden.estimate({})->context_length, 512) << "what the model was trained for";
    EXPECT_GT(golden.estimate({.n_threads = 2})->buffer_bytes,
              golden.estimate({.n_threads = 1})->buffer_bytes);
}

TEST(MemoryPlan, AContextBeyondTheModelsIsRefusedWithBothNumbers) {
    const Golden golden("tiny_llama");
    EXPECT_TRUE(golden.estimate({.context_length = 512}));
    EXPECT_TRUE(golden.estimate({.context_length = 1}));
    for (const std::int32_t wrong : {513, 512'000, -1}) {
        const auto refused = golden.estimate({.context_length = wrong});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
        EXPECT_THAT(refused.error().detail,
                    AllOf(HasSubstr(fmt::format("{} tokens", wrong)), HasSubstr("512")));
    }
}

TEST(MemoryPlan, HeadsThatFillNoBlocksAreRefused) {
    const auto refused = Golden("tiny_smollm3").estimate({.kv_type = KvType::kQ8_0});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(refused.error().detail,
                AllOf(HasSubstr("16 dimensions"), HasSubstr("--kv q8_0"), HasSubstr("--kv f16")));
}

TEST(MemoryPlan, AnOpenContextTakesHalfOfWhatIsLeft) {
    EXPECT_EQ(fit(0, 100'000)->context_length, 8192);
    EXPECT_EQ(fit(0, 2000)->context_length, 500);
    EXPECT_EQ(fit(0, 1200)->context_length, 128) << "the least, as long as it fits at all";
    EXPECT_EQ(fit(0, 1100).error().code, ErrorCode::kOutOfMemory);
}

TEST(MemoryPlan, WhatIsAskedForIsGivenOrRefused) {
    EXPECT_EQ(fit(1000, 2000)->context_length, 1000) << "to the last byte";
    EXPECT_EQ(fit(1001, 2000).error().code, ErrorCode::kOutOfMemory);
    EXPECT_EQ(fit(1, 1001)->context_length, 1);
    EXPECT_EQ(fit(65'536, 100'000)->context_length, 65'536);
    EXPECT_EQ(fit(1, 0).error().code, ErrorCode::kOutOfMemory);
}

TEST(MemoryPlan, SeveralConversationsGetAQuarterOfWhatIsLeft) {
    EXPECT_EQ(fit(1000, 13'000, 0, 4)->pool_tokens(), 3000);
    EXPECT_EQ(fit(1000, 100'000, 0, 4)->pool_tokens(), 4000) << "but no more than was asked for";
    EXPECT_EQ(fit(1000, 100'000)->pool_tokens(), 1000);
    EXPECT_EQ(fit(1000, 2500, 0, 4)->pool_tokens(), 1000) << "and one at least";
    EXPECT_EQ(fit(1000, 13'000, 0, 4)->total_bytes(), 4000 * kMiB);
}

TEST(MemoryPlan, ABudgetIsTakenAsItIs) {
    EXPECT_EQ(fit(1000, 13'000, 7000)->pool_tokens(), 7000);
    EXPECT_EQ(fit(0, 13'000, 700)->context_length, 700);
    EXPECT_EQ(fit(0, 13'000, 9000)->context_length, 8192);
    EXPECT_EQ(fit(1000, 13'000, 13'000).error().code, ErrorCode::kOutOfMemory);
    const auto refused = fit(1000, 13'000, 999);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().detail, AllOf(HasSubstr("1000.0 MiB"), HasSubstr("999.0 MiB")));
}

TEST(MemoryPlan, ARefusalTellsTheNumbersAndWhatFits) {
    EXPECT_EQ(fit(3000, 2000).error().detail,
              "needs weights 900.0 MiB + buffers 100.0 MiB + KV 3000.0 MiB (3000 tokens of 1024.0 "
              "KiB, f16) = 4000.0 MiB; 2000.0 MiB are available: use --ctx 1000 or less, or --kv "
              "q8_0 with --ctx 1882 or less, or a smaller model");
    EXPECT_THAT(fit(3000, 999).error().detail, testing::EndsWith("use a smaller model"));
}

}  // namespace
}  // namespace notso::ml

// The forward pass against golden logits of the numpy oracle, and its promise that only a token's
// own history counts.
#include "ml/model/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "ml/device/cpu.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/config.hpp"
#include "ml/model/golden_models.hpp"
#include "ml/model/transformer.hpp"
#include "ml/model/weights.hpp"
#include "ml/quant/pack.hpp"
#include "ml/runtime/kv_cache.hpp"

namespace notso::ml {
namespace {

using test::golden_logits;
using test::golden_model;
using test::golden_tokens;
using test::kGoldenTokens;
using test::kGoldenVocab;
using ::testing::HasSubstr;

using Floats = std::vector<float>;

std::shared_ptr<const Model> load_golden(std::string_view name, std::int32_t n_threads = 1) {
    auto model = Model::load(golden_model(name), {.n_threads = n_threads});
    EXPECT_TRUE(model.has_value()) << model.error().detail;
    return model.value_or(nullptr);
}

/// Logits of all golden tokens, read in pieces of at most `step`.
Floats run(const Model& model,
           KvType type,
           std::int32_t step,
           Precision precision = Precision::kExact) {
    auto cache = *KvCache::create(model.config(), kGoldenTokens, type);
    const std::vector<TokenId> tokens = golden_tokens();
    Floats logits(tokens.size() * kGoldenVocab, NAN);
    for (std::int32_t first = 0; first < kGoldenTokens; first += step) {
        const auto begin = static_cast<std::size_t>(first);
        const auto n = static_cast<std::size_t>(std::min(step, kGoldenTokens - first));
        const auto result =
            model.forward(std::span(tokens).subspan(begin, n),
                          *cache,
                          std::span(logits).subspan(begin * kGoldenVocab, n * kGoldenVocab),
                          precision);
        EXPECT_TRUE(result) << result.error().detail;
    }
    EXPECT_EQ(cache->size(), kGoldenTokens);
    return logits;
}

/// Largest difference, in units of the logits' standard deviation.
double distance(const Floats& actual, const Floats& expected) {
    double worst = 0;
    double squares = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double difference =
            std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
        worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
        squares += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
    }
    return worst / std::sqrt(squares / static_cast<double>(expected.size()));
}

bool bit_equal(const Floats& a, const Floats& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

bool has_packed_types(const std::filesystem::path& path) {
    const auto file = gguf::File::open(path);
    EXPECT_TRUE(file);
    return std::ranges::any_of((*file)->tensors(), [](const gguf::Tensor& tensor) {
        return quant::find_pack_fields(tensor.type) != nullptr;
    });
}

/// Activations of 16 bits where weights are packed, of 24 otherwise.
double closeness(const std::filesystem::path& path) { return has_packed_types(path) ? 1e-3 : 3e-5; }

class GoldenModel : public testing::TestWithParam<const char*> {};

TEST_P(GoldenModel, LogitsEqualTheOracles) {
    const Floats expected = golden_logits(GetParam());
    ASSERT_FALSE(expected.empty()) << "golden data is missing";
    for (const char* isa : {"generic", ""}) {
        setenv("NOTSO_ISA", isa, 1);
        const auto model = load_golden(GetParam());
        unsetenv("NOTSO_ISA");
        ASSERT_TRUE(model);
        const double close = closeness(model->path());
        EXPECT_LT(distance(run(*model, KvType::kF32, kGoldenTokens), expected), close) << isa;
        EXPECT_LT(distance(run(*model, KvType::kF32, 1), expected), close) << isa;
        EXPECT_LT(distance(run(*model, KvType::kF16, kGoldenTokens), expected), 2e-2) << isa;
    }
}

/// Whether this CPU rounds what fast tokens of the model attend to.
bool rounds_attention(const Model& model) {
    const auto& attention = (*choose_kernels(detect_cpu(), {}))->kv[0].attention;
    return attention[0] != attention[1] && model.config().head_dim % kernels::kHeadDimMultiple == 0;
}

TEST_P(GoldenModel, FastIsClose) {
    const auto model = load_golden(GetParam());
    ASSERT_TRUE(model);
    const Floats fast = run(*model, KvType::kF32, kGoldenTokens, Precision::kFast);
    EXPECT_LT(distance(fast, golden_logits(GetParam())), 0.2);
    // Heads that are no whole groups of columns keep a model from being packed.
    const bool packed = has_packed_types(model->path()) && model->config().head_dim % 32 == 0;
    EXPECT_EQ(bit_equal(fast, run(*model, KvType::kF32, kGoldenTokens)),
              !packed && !rounds_attention(*model));
}

/// What is not packed is summed in another order by the plain kernels. Other sets may round to bf16
/// (rounds_attention; fast tokens of tiles).
TEST_P(GoldenModel, FastIsTheSameWithPlainKernelsWhereNothingIsBf16) {
    setenv("NOTSO_ISA", "generic", 1);
    const auto plain = load_golden(GetParam());
    setenv("NOTSO_ISA", choose_kernels(detect_cpu(), "avx2") ? "avx2" : "generic", 1);
    const auto model = load_golden(GetParam());
    unsetenv("NOTSO_ISA");
    ASSERT_TRUE(model && plain);
    EXPECT_LT(distance(run(*model, KvType::kF32, kGoldenTokens, Precision::kFast),
                       run(*plain, KvType::kF32, kGoldenTokens, Precision::kFast)),
              0.1);
}

std::atomic<int> heads_through_l2;
std::atomic<int> other_heads;
void count_heads(const kernels::AttentionArgs& args) noexcept {
    ++(args.into_l2 ? heads_through_l2 : other_heads);
}

TEST(Transformer, TellsAttentionHowTheCpuReads) {
    const auto file = gguf::File::open(golden_model("tiny_smollm3"));
    ASSERT_TRUE(file);
    const std::vector<TokenId> tokens = golden_tokens();
    for (const bool into_l2 : {false, true}) {
        kernels::KernelTable table = **choose_kernels(detect_cpu(), {});
        table.into_l2 = into_l2;
        for (kernels::KvKernels& kv : table.kv) kv.attention[0] = count_heads;
        auto spec = read_spec(**file);
        ASSERT_TRUE(spec);
        auto weights = load_weights(**file, *spec, {.kernels = &table, .n_threads = 1});
        ASSERT_TRUE(weights);
        const auto cache = KvCache::create(spec->config, kGoldenTokens, KvType::kF16);
        const Transformer transformer(*std::move(spec), *std::move(weights), table, 1);
        const Segment segment{.tokens = std::span(tokens).first(1), .cache = **cache};
        heads_through_l2 = other_heads = 0;
        ASSERT_TRUE(transformer.forward({&segment, 1}, nullptr));
        EXPECT_EQ(heads_through_l2 > 0, into_l2);
        EXPECT_EQ(other_heads > 0, !into_l2);
    }
}

TEST_P(GoldenModel, OnlyTheLastRowsAreWrittenWhenFewerAreAsked) {
    const auto model = load_golden(GetParam());
    ASSERT_TRUE(model);
    const Floats whole = run(*model, KvType::kF16, kGoldenTokens);
    const std::vector<TokenId> tokens = golden_tokens();
    for (const std::size_t rows : {0u, 1u, 5u}) {
        auto cache = *KvCache::create(model->config(), kGoldenTokens, KvType::kF16);
        Floats logits(rows * kGoldenVocab);
        ASSERT_TRUE(model->forward(tokens, *cache, logits));
        EXPECT_TRUE(bit_equal(
            logits, Floats(whole.end() - static_cast<std::ptrdiff_t>(logits.size()), whole.end())));
    }
}

INSTANTIATE_TEST_SUITE_P(All,
                         GoldenModel,
                         testing::ValuesIn(test::kGoldenModels),
                         [](const auto& test) { return std::string(test.param); });

TEST(Model, RefusesWhatCannotBeRunAndLeavesTheCacheAlone) {
    const auto model = load_golden("tiny_llama");
    ASSERT_TRUE(model);
    auto cache = *KvCache::create(model->config(), 4, KvType::kF16);
    const std::vector<TokenId> tokens = golden_tokens();
    const auto full = model->forward(tokens, *cache, {});
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kContextLength);
    for (const std::int32_t id : {-1, kGoldenVocab}) {
        const TokenId bad[] = {TokenId{1}, TokenId{id}};
        EXPECT_EQ(model->forward(bad, *cache, {}).error().code, ErrorCode::kInvalidArgument);
    }
    Floats odd(kGoldenVocab + 1);
    EXPECT_EQ(model->forward(std::span(tokens).first(3), *cache, odd).error().code,
              ErrorCode::kInvalidArgument);
    Floats many(4 * kGoldenVocab);
    EXPECT_EQ(model->forward(std::span(tokens).first(3), *cache, many).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(cache->size(), 0);
}

TEST(Model, TellsWhatItIs) {
    const auto model = load_golden("tiny_smollm3");
    ASSERT_TRUE(model);
    const ModelConfig& config = model->config();
    EXPECT_EQ(config.architecture, "smollm3");
    EXPECT_EQ(config.name, "tiny_smollm3");
    EXPECT_EQ(config.n_layers, 4);
    EXPECT_EQ(config.n_vocab, kGoldenVocab);
    EXPECT_EQ(config.n_kv_heads, 2);
    EXPECT_GT(config.n_parameters, 100'000u);
    EXPECT_EQ(model->memory().kv_bytes_per_token, 4u * 2 * 2 * 16 * 2);
    EXPECT_EQ(model->memory().context_length, 512);
    EXPECT_EQ(model->tokenizer().vocab_size(), static_cast<std::size_t>(kGoldenVocab));
    EXPECT_EQ(model->chat_template(), "");
}

TEST(Model, LoadingReportsProgressAndCanBeCancelled) {
    std::vector<double> seen;
    const auto model = Model::load(
        golden_model("tiny_llama"),
        {.n_threads = 1, .on_progress = [&seen](double part) { seen.push_back(part); }});
    ASSERT_TRUE(model);
    ASSERT_GT(seen.size(), 3u);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_GT(seen.back(), 0.95);
    std::stop_source stop;
    const auto cancel = [&stop](double) { stop.request_stop(); };
    const auto cancelled =
        Model::load(golden_model("tiny_llama"), {.on_progress = cancel, .stop = stop.get_token()});
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
}

TEST(Model, AMissingFileIsNamed) {
    const auto model = Model::load("/nowhere/model.gguf");
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(model.error().detail, HasSubstr("/nowhere/model.gguf"));
}

}  // namespace
}  // namespace notso::ml

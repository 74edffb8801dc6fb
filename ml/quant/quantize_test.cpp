#include "ml/quant/quantize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

#include "ml/gguf/test_writer.hpp"
#include "ml/quant/type_table.hpp"

namespace notso::ml::quant {
namespace {

using gguf::test::TempFile;

std::string content(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<float> weights(std::size_t n) {
    std::vector<float> out(n);
    for (std::size_t i = 0; i < n; ++i)
        out[i] = static_cast<float>(static_cast<int>(i * 7919 % 2003) - 1001) / 5000.0f;
    return out;
}

/// Keys of a model with one layer.
gguf::test::Writer keys() {
    gguf::test::Writer writer;
    writer.key("general.architecture", "llama").key("general.file_type", std::uint32_t{0});
    writer.key("llama.block_count", std::uint32_t{1}).key("general.name", "a test");
    writer.array<std::string>("tokenizer.ggml.tokens", {"a", "b"});
    return writer;
}

gguf::test::Writer model(const std::vector<float>& matrix) {
    gguf::test::Writer writer = keys();
    const std::vector<float> norm(512, 1.0f);
    writer.tensor_f32("token_embd.weight", {512, matrix.size() / 512}, matrix);
    writer.tensor_f32("output_norm.weight", {512}, norm);
    writer.tensor_f32("blk.0.attn_q.weight", {256, matrix.size() / 256}, matrix);
    return writer;
}

class Quantize : public testing::Test {
  protected:
    Quantize() { std::filesystem::create_directory(folder_); }
    ~Quantize() override { std::filesystem::remove_all(folder_); }

    Result<> run(const std::filesystem::path& in,
                 std::string_view type,
                 const QuantizeOptions& options = {}) const {
        NOTSO_TRY(const auto file, gguf::File::open(in));
        NOTSO_TRY(const Mix mix, find_mix(type));
        NOTSO_TRY(const Plan plan, plan_quantization(*file, mix));
        return quantize(*file, plan, out_, options);
    }
    bool folder_is_empty() const { return std::filesystem::is_empty(folder_); }

    TempFile place_{"", ""};
    std::filesystem::path folder_ = place_.path().string() + ".d";
    std::filesystem::path out_ = folder_ / "out.gguf";
};

TEST_F(Quantize, TheResultHoldsTheWeightsInTheTypesOfTheMix) {
    const std::vector<float> matrix = weights(512 * 96);
    const TempFile in(model(matrix).bytes());
    const auto done = run(in.path(), "q4_k_m");
    ASSERT_TRUE(done) << done.error().detail;
    const auto out = gguf::File::open(out_);
    ASSERT_TRUE(out) << out.error().detail;
    const auto tensors = (*out)->tensors();
    ASSERT_EQ(tensors.size(), 3u);
    EXPECT_EQ(tensors[0].type, gguf::TensorType::kQ6_K);
    EXPECT_EQ(tensors[1].type, gguf::TensorType::kF32);
    EXPECT_EQ(tensors[2].type, gguf::TensorType::kQ4_K);
    EXPECT_EQ(tensors[2].shape, (std::vector<std::uint64_t>{256, 192}));
    for (const gguf::Tensor& tensor : tensors) {
        if (tensor.shape.size() == 1) continue;
        std::vector<float> decoded(matrix.size());
        find_type(tensor.type)->decode(tensor.data.data(), decoded.data(), decoded.size());
        for (std::size_t i = 0; i < matrix.size(); ++i)
            ASSERT_NEAR(decoded[i], matrix[i], 0.03f) << tensor.name << ' ' << i;
    }
}

TEST_F(Quantize, KeysAreCopiedByteForByteAndTheTwoThatDescribeItAreSet) {
    const TempFile in(model(weights(512 * 2)).bytes());
    ASSERT_TRUE(run(in.path(), "Q8_0"));
    gguf::test::Writer expected;  // the same keys in the same order, file_type set in place
    expected.key("general.architecture", "llama").key("general.file_type", std::uint32_t{7});
    expected.key("llama.block_count", std::uint32_t{1}).key("general.name", "a test");
    expected.array<std::string>("tokenizer.ggml.tokens", {"a", "b"});
    expected.key("general.quantization_version", std::uint32_t{2});
    expected.tensor_count = 3;
    EXPECT_TRUE(content(out_).starts_with(expected.header()));
}

TEST_F(Quantize, AlignmentIsKept) {
    gguf::test::Writer writer = keys();
    writer.alignment = 1024;
    writer.key("general.alignment", std::uint32_t{1024});
    writer.tensor_f32("blk.0.ffn_up.weight", {32, 2}, weights(64));
    writer.tensor_f32("blk.0.ffn_gate.weight", {32, 2}, weights(64));
    const TempFile in(writer.bytes());
    ASSERT_TRUE(run(in.path(), "Q8_0"));
    const auto out = gguf::File::open(out_);
    ASSERT_TRUE(out) << out.error().detail;
    for (const gguf::Tensor& tensor : (*out)->tensors()) EXPECT_EQ(tensor.file_offset % 1024, 0u);
}

TEST_F(Quantize, BytesDoNotDependOnTheNumberOfThreads) {
    const TempFile in(model(weights(512 * 300)).bytes());
    std::string first;
    for (const std::int32_t threads : {1, 2, 5}) {
        QuantizeOptions options;
        options.n_threads = threads;
        options.if_exists = gguf::IfExists::kReplace;
        ASSERT_TRUE(run(in.path(), "Q4_K_M", options));
        if (first.empty()) first = content(out_);
        EXPECT_EQ(content(out_), first) << threads;
    }
}

TEST_F(Quantize, WeightsThatNoBlockCanHoldAreRefusedWithTensorAndIndex) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 1e6f}) {
        std::vector<float> matrix = weights(512 * 100);
        matrix[512 * 60 + 7] = bad;
        matrix[512 * 99] = bad;  // the first one is named, whichever thread sees the other
        const TempFile in(model(matrix).bytes());
        QuantizeOptions options;
        options.n_threads = 3;
        const auto done = run(in.path(), "F16", options);
        ASSERT_FALSE(done) << bad;
        EXPECT_EQ(done.error().code, ErrorCode::kCorruptData);
        EXPECT_NE(done.error().detail.find("\"token_embd.weight\""), std::string::npos)
            << done.error().detail;
        EXPECT_NE(done.error().detail.find("index 30727 (row 60, column 7)"), std::string::npos)
            << done.error().detail;
        EXPECT_TRUE(folder_is_empty());
    }
}

TEST_F(Quantize, TheInputIsNeverTheOutput) {
    const TempFile in(model(weights(512)).bytes());
    const std::string before = content(in.path());
    std::filesystem::create_symlink(in.path(), out_);
    QuantizeOptions options;
    options.if_exists = gguf::IfExists::kReplace;
    const auto done = run(in.path(), "Q8_0", options);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(content(in.path()), before);
}

TEST_F(Quantize, AnInterruptLeavesNothing) {
    const TempFile in(model(weights(512 * 20)).bytes());
    std::stop_source stop;
    QuantizeOptions options;
    options.stop = stop.get_token();
    options.on_progress = [&stop](const Progress& progress) {
        if (progress.done > 0) stop.request_stop();
    };
    const auto done = run(in.path(), "Q8_0", options);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
    EXPECT_TRUE(folder_is_empty());
}

TEST_F(Quantize, ProgressEndsAtTheTotal) {
    const TempFile in(model(weights(512 * 20)).bytes());
    Progress last;
    QuantizeOptions options;
    options.on_progress = [&last](const Progress& progress) {
        EXPECT_GE(progress.done, last.done);
        last = progress;
    };
    ASSERT_TRUE(run(in.path(), "Q4_0", options));
    EXPECT_EQ(last.total, 2u * 512 * 20 + 512);
    EXPECT_EQ(last.done, last.total);
}

TEST_F(Quantize, DoingItAgainIsAllowedAndNoted) {
    const TempFile in(model(weights(512 * 4)).bytes());
    ASSERT_TRUE(run(in.path(), "Q8_0"));
    const auto file = gguf::File::open(out_);
    const auto again = plan_quantization(**file, *find_mix("Q4_0"));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->already_quantised, "Q8_0");
    EXPECT_EQ(again->n_converted, 2u);
    const auto same = plan_quantization(**file, *find_mix("Q8_0"));
    EXPECT_EQ(same->already_quantised, "");
    EXPECT_EQ(same->n_converted, 0u);
}

TEST_F(Quantize, FallbacksAreCountedByKind) {
    gguf::test::Writer writer = keys();
    writer.tensor_f32("blk.0.ffn_up.weight", {288, 2}, weights(576));
    writer.tensor_f32("blk.0.ffn_gate.weight", {288, 2}, weights(576));
    writer.tensor_f32("blk.0.attn_q.weight", {6, 2}, weights(12));
    const TempFile in(writer.bytes());
    const auto plan = plan_quantization(**gguf::File::open(in.path()), *find_mix("Q6_K"));
    ASSERT_TRUE(plan) << plan.error().detail;
    ASSERT_EQ(plan->fallbacks.size(), 2u);
    EXPECT_EQ(plan->fallbacks[0].type, gguf::TensorType::kQ8_0);
    EXPECT_EQ(plan->fallbacks[0].count, 2u);
    EXPECT_EQ(plan->fallbacks[1].type, gguf::TensorType::kF16);
}

TEST_F(Quantize, WhatItCanNotConvertIsRefusedByName) {
    gguf::test::Writer odd = keys();
    odd.tensor("blk.0.ffn_up.weight", {256, 2}, gguf::TensorType::kIQ2_XXS, std::string(132, '\0'));
    const auto unknown = run(TempFile(odd.bytes()).path(), "Q8_0");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(unknown.error().detail.find("\"blk.0.ffn_up.weight\" has the type IQ2_XXS"),
              std::string::npos)
        << unknown.error().detail;

    gguf::test::Writer part = keys();
    part.key("split.count", std::uint16_t{3});
    EXPECT_EQ(run(TempFile(part.bytes()).path(), "Q8_0").error().code, ErrorCode::kUnsupported);

    gguf::test::Writer bare;
    bare.key("general.architecture", "llama");
    const auto no_layers = run(TempFile(bare.bytes()).path(), "Q8_0");
    ASSERT_FALSE(no_layers);
    EXPECT_NE(no_layers.error().detail.find("llama.block_count"), std::string::npos);
}

}  // namespace
}  // namespace notso::ml::quant

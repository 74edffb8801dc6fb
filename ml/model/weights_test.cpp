// Tensors of a model file: each is judged before any is read; files that change meanwhile do no
// harm.
#include "ml/model/weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>

#include "ml/gguf/test_writer.hpp"
#include "ml/kernels/generic/table.hpp"
#include "ml/model/golden_models.hpp"

namespace notso::ml {
namespace {

using gguf::TensorType;
using gguf::test::TempFile;
using gguf::test::Writer;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// One layer, hidden 32, two heads of 16, ffn 64, 10 tokens; tensors can be left out, changed and
/// added.
struct TinyFile {
    std::string left_out;
    std::map<std::string, std::vector<std::uint64_t>> shapes = {
        {"token_embd.weight", {32, 10}},
        {"output_norm.weight", {32}},
        {"blk.0.attn_norm.weight", {32}},
        {"blk.0.ffn_norm.weight", {32}},
        {"blk.0.attn_q.weight", {32, 32}},
        {"blk.0.attn_k.weight", {32, 32}},
        {"blk.0.attn_v.weight", {32, 32}},
        {"blk.0.attn_output.weight", {32, 32}},
        {"blk.0.ffn_gate.weight", {32, 64}},
        {"blk.0.ffn_up.weight", {32, 64}},
        {"blk.0.ffn_down.weight", {64, 32}}};

    std::string bytes() const {
        Writer writer;
        writer.key("general.architecture", "llama")
            .key("llama.block_count", 1u)
            .key("llama.context_length", 64u)
            .key("llama.embedding_length", 32u)
            .key("llama.feed_forward_length", 64u)
            .key("llama.attention.head_count", 2u)
            .key("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        for (const auto& [name, shape] : shapes) {
            if (name == left_out) continue;
            std::size_t n = 1;
            for (const std::uint64_t dim : shape) n *= dim;
            std::vector<float> values(n);
            for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i);
            writer.tensor_f32(name, shape, values);
        }
        return writer.bytes();
    }
};

Result<Weights> load(const std::filesystem::path& path, std::uint64_t available_bytes = 0) {
    NOTSO_TRY(const auto file, gguf::File::open(path));
    NOTSO_TRY(const ModelSpec spec, read_spec(*file));
    return load_weights(
        *file, spec, {.kernels = &kernels::generic_table(), .available_bytes = available_bytes});
}

TEST(Weights, RowsOfQAndKComeBackInHalfSplitOrder) {
    const TempFile temp(TinyFile().bytes());
    const auto weights = load(temp.path());
    ASSERT_TRUE(weights) << weights.error().detail;
    const LayerWeights& layer = weights->layers[0];
    const auto first_value = [](const Matrix& matrix, std::int32_t row) {
        return *reinterpret_cast<const float*>(matrix.row(row)) /
               32.0f;  // the row that it was in the file
    };
    for (std::int32_t head = 0; head < 2; ++head) {
        for (std::int32_t i = 0; i < 8; ++i) {
            const auto stored = static_cast<float>(16 * head + 2 * i);
            EXPECT_EQ(first_value(layer.attn_q, 16 * head + i), stored);
            EXPECT_EQ(first_value(layer.attn_k, 16 * head + 8 + i), stored + 1);
            EXPECT_EQ(first_value(layer.attn_v, 16 * head + i), static_cast<float>(16 * head + i));
        }
    }
    EXPECT_EQ(weights->output.data, weights->token_embd.data)
        << "the embedding is the head where there is none";
    EXPECT_EQ(weights->output_norm[31], 31.0f);
}

TEST(Weights, EveryTensorIsNeeded) {
    for (const auto& [name, shape] : TinyFile().shapes) {
        TinyFile file;
        file.left_out = name;
        const auto weights = load(TempFile(file.bytes()).path());
        ASSERT_FALSE(weights) << name;
        EXPECT_EQ(weights.error().code, ErrorCode::kCorruptData);
        EXPECT_THAT(weights.error().detail, HasSubstr("tensor " + name + " is missing"));
    }
}

TEST(Weights, EveryShapeIsChecked) {
    for (const auto& [name, shape] : TinyFile().shapes) {
        TinyFile file;
        file.shapes[name].back() += 1;
        if (name == "token_embd.weight") continue;  // its rows define the vocabulary
        const auto weights = load(TempFile(file.bytes()).path());
        ASSERT_FALSE(weights) << name;
        EXPECT_EQ(weights.error().code, ErrorCode::kCorruptData);
        EXPECT_THAT(weights.error().detail,
                    AllOf(HasSubstr("tensor " + name),
                          HasSubstr(fmt::format("{}]", shape.back())),
                          HasSubstr(fmt::format("{}]", shape.back() + 1))));
    }
}

TEST(Weights, TensorsThatWouldBeIgnoredAreRefused) {
    TinyFile file;
    file.shapes["blk.0.attn_q.bias"] = {32};
    const auto weights = load(TempFile(file.bytes()).path());
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(weights.error().detail, HasSubstr("blk.0.attn_q.bias"));
}

TEST(Weights, BlockTypesThatDoNotRunAreRefusedByName) {
    Writer writer;
    writer.key("general.architecture", "llama")
        .key("llama.block_count", 1u)
        .key("llama.context_length", 64u)
        .key("llama.embedding_length", 256u)
        .key("llama.feed_forward_length", 64u)
        .key("llama.attention.head_count", 2u)
        .key("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .tensor("token_embd.weight", {256, 2}, TensorType::kF32, std::string(2048, '\0'))
        .tensor("blk.0.attn_norm.weight", {256}, TensorType::kIQ2_XXS, std::string(66, '\0'));
    const auto weights = load(TempFile(writer.bytes()).path());
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(weights.error().detail,
                AllOf(HasSubstr("IQ2_XXS"), HasSubstr("Q4_K"), HasSubstr("attn_norm")));
}

TEST(Weights, TooLittleMemoryIsToldWithNumbers) {
    const TempFile temp(TinyFile().bytes());
    const auto weights = load(temp.path(), 1000);
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::kOutOfMemory);
    EXPECT_THAT(weights.error().detail, HasSubstr("MiB are available"));
}

TEST(Weights, AFileThatIsCutAfterItWasCheckedGivesAnError) {
    const TempFile temp(TinyFile().bytes());
    const auto file = gguf::File::open(temp.path());
    ASSERT_TRUE(file);
    const auto spec = read_spec(**file);
    ASSERT_TRUE(spec);
    std::filesystem::resize_file(temp.path(), std::filesystem::file_size(temp.path()) - 1000);
    const auto weights = load_weights(**file, *spec, {.kernels = &kernels::generic_table()});
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::kCorruptData);
    EXPECT_THAT(weights.error().detail, HasSubstr("changed while it was loaded"));
}

TEST(Weights, AReaderPastTheEndGivesAnError) {
    const TempFile temp("0123456789");
    const auto reader = FileReader::open(temp.path(), 10);
    ASSERT_TRUE(reader);
    std::filesystem::resize_file(temp.path(), 4);
    std::byte bytes[6];
    EXPECT_TRUE(reader->read(0, std::span(bytes, 4)));
    const auto cut = reader->read(0, bytes);
    ASSERT_FALSE(cut);
    EXPECT_THAT(cut.error().detail, HasSubstr("ends at byte 4"));
}

}  // namespace
}  // namespace notso::ml

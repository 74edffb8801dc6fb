// Tensors of a model file: each is judged before any is read; files that change meanwhile do no
// harm.
#include "ml/model/weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <thread>

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
    std::string architecture = "llama";
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
        writer.key("general.architecture", architecture)
            .key(architecture + ".block_count", 1u)
            .key(architecture + ".context_length", 64u)
            .key(architecture + ".embedding_length", 32u)
            .key(architecture + ".feed_forward_length", 64u)
            .key(architecture + ".attention.head_count", 2u)
            .key(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
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

/// The tensors that an architecture has beside the common ones.
TinyFile tiny_file(const std::string& architecture) {
    TinyFile file;
    file.architecture = architecture;
    if (architecture == "qwen2") {
        for (const char* part : {"q", "k", "v"})
            file.shapes[fmt::format("blk.0.attn_{}.bias", part)] = {32};
    }
    if (architecture == "qwen3") {
        for (const char* part : {"q", "k"})
            file.shapes[fmt::format("blk.0.attn_{}_norm.weight", part)] = {16};
    }
    return file;
}

constexpr const char* kArchitectures[] = {"llama", "smollm3", "qwen2", "qwen3"};

Result<Weights> load(const std::filesystem::path& path) {
    NOTSO_TRY(const auto file, gguf::File::open(path));
    NOTSO_TRY(const ModelSpec spec, read_spec(*file));
    return load_weights(*file, spec, {.kernels = &kernels::generic_table()});
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

TEST(Weights, HalfSplitFilesKeepTheirRows) {
    for (const char* architecture : {"qwen2", "qwen3"}) {
        const TempFile temp(tiny_file(architecture).bytes());
        const auto weights = load(temp.path());
        ASSERT_TRUE(weights) << weights.error().detail;
        for (const Matrix& matrix : {weights->layers[0].attn_q, weights->layers[0].attn_k}) {
            for (std::int32_t row = 0; row < 32; ++row) {
                const auto* values = reinterpret_cast<const float*>(matrix.row(row));
                EXPECT_EQ(values[0], static_cast<float>(32 * row));
            }
        }
    }
}

TEST(Weights, BiasesGoTheWayOfTheirRows) {
    TinyFile file = tiny_file("llama");
    for (const char* part : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down"})
        file.shapes[fmt::format("blk.0.{}.bias", part)] = {part == std::string("ffn_up") ? 64u
                                                                                         : 32u};
    const auto weights = load(TempFile(file.bytes()).path());
    ASSERT_TRUE(weights) << weights.error().detail;
    const LayerWeights& layer = weights->layers[0];
    for (std::int32_t row = 0; row < 32; ++row) {
        const std::int32_t in_head = row % 16;
        const std::int32_t stored = row - in_head + in_head % 8 * 2 + in_head / 8;
        EXPECT_EQ(layer.attn_q.bias[row], static_cast<float>(stored));
        EXPECT_EQ(layer.attn_k.bias[row], static_cast<float>(stored));
        EXPECT_EQ(layer.attn_v.bias[row], static_cast<float>(row));
        EXPECT_EQ(layer.attn_output.bias[row], static_cast<float>(row));
    }
    EXPECT_EQ(layer.ffn_up.bias[63], 63.0f);
    EXPECT_EQ(layer.ffn_down.bias[31], 31.0f);
    EXPECT_EQ(layer.ffn_gate.bias, nullptr);
}

TEST(Weights, EveryTensorIsNeeded) {
    for (const char* architecture : kArchitectures) {
        for (const auto& [name, shape] : tiny_file(architecture).shapes) {
            TinyFile file = tiny_file(architecture);
            file.left_out = name;
            const auto weights = load(TempFile(file.bytes()).path());
            ASSERT_FALSE(weights) << architecture << name;
            EXPECT_EQ(weights.error().code, ErrorCode::kCorruptData);
            EXPECT_THAT(weights.error().detail, HasSubstr("tensor " + name + " is missing"));
        }
    }
}

TEST(Weights, EveryShapeIsChecked) {
    for (const char* architecture : kArchitectures) {
        for (const auto& [name, shape] : tiny_file(architecture).shapes) {
            TinyFile file = tiny_file(architecture);
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
}

struct Stranger {
    const char* architecture;
    std::string tensor;
    std::uint64_t size;
};

TEST(Weights, TensorsThatWouldBeIgnoredAreRefused) {
    const Stranger strangers[] = {
        {"llama", "output.bias", 10},
        {"llama", "output_norm.bias", 32},
        {"llama", "blk.0.attn_q_norm.weight", 16},
        {"llama", "blk.0.attn_norm.bias", 32},
        {"llama", "blk.0.attn_qkv.weight", 32},
        {"llama", "blk.0.ffn_gate_inp.weight", 32},
        {"llama", "blk.1.attn_norm.weight", 32},
        {"llama", "blk.0.attn_q.scale", 1},
        {"qwen2", "blk.0.attn_output.bias", 32},
        {"qwen2", "blk.0.ffn_up.bias", 64},
        {"qwen2", "blk.0.attn_k_norm.weight", 16},
        {"qwen3", "blk.0.ffn_down.bias", 32},
        {"qwen3", "cls.output.weight", 32},
    };
    for (const Stranger& stranger : strangers) {
        TinyFile file = tiny_file(stranger.architecture);
        file.shapes[stranger.tensor] = {stranger.size};
        const auto weights = load(TempFile(file.bytes()).path());
        ASSERT_FALSE(weights) << stranger.tensor;
        EXPECT_EQ(weights.error().code, ErrorCode::kUnsupported);
        EXPECT_THAT(weights.error().detail,
                    AllOf(HasSubstr(stranger.tensor),
                          HasSubstr(std::string("of ") + stranger.architecture),
                          HasSubstr("it runs dense models of llama, smollm3, qwen2, qwen3")));
    }
}

TEST(Weights, DivisorsOfFrequenciesAreFiniteAndAboveZero) {
    TinyFile file = tiny_file("llama");
    file.shapes["rope_freqs.weight"] = {8};  // 0, 1, 2, …
    const auto weights = load(TempFile(file.bytes()).path());
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::kCorruptData);
    EXPECT_THAT(weights.error().detail, HasSubstr("has 0 at index 0"));
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

TEST(Weights, AreTheSameWhoeverLoadsThem) {
    const auto file = gguf::File::open(test::golden_model("tiny_smollm3"));
    ASSERT_TRUE(file);
    const auto spec = read_spec(**file);
    ASSERT_TRUE(spec);
    const auto alone = load_weights(**file, *spec, {.kernels = &kernels::generic_table()});
    ASSERT_TRUE(alone);
    std::vector<double> told;
    bool elsewhere = false;
    const auto caller = std::this_thread::get_id();
    const auto together = load_weights(
        **file,
        *spec,
        {.kernels = &kernels::generic_table(), .n_threads = 4, .on_progress = [&](double done) {
             told.push_back(done);
             elsewhere |= std::this_thread::get_id() != caller;
         }});
    ASSERT_TRUE(together);
    EXPECT_TRUE(std::ranges::equal(alone->memory.bytes(), together->memory.bytes()));
    EXPECT_TRUE(std::ranges::is_sorted(told));
    EXPECT_EQ(told.back(), 1.0);
    EXPECT_FALSE(elsewhere);
}

TEST(Weights, TheFirstErrorOfAnyThreadIsTold) {
    const TempFile temp(TinyFile().bytes());
    const auto file = gguf::File::open(temp.path());
    ASSERT_TRUE(file);
    const auto spec = read_spec(**file);
    ASSERT_TRUE(spec);
    std::filesystem::resize_file(temp.path(), 1000);
    const auto weights =
        load_weights(**file, *spec, {.kernels = &kernels::generic_table(), .n_threads = 4});
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::kIo);
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
    EXPECT_EQ(weights.error().code, ErrorCode::kIo);
    EXPECT_THAT(weights.error().detail,
                AllOf(HasSubstr(temp.path().string()), HasSubstr("it was cut while it was read")));
}

TEST(Weights, AFileThatIsWrittenToAfterItWasCheckedGivesAnError) {
    const std::string bytes = TinyFile().bytes();
    for (const std::string& now : {bytes, bytes + "more"}) {
        const TempFile temp(bytes);
        const auto file = gguf::File::open(temp.path());
        ASSERT_TRUE(file);
        const auto spec = read_spec(**file);
        ASSERT_TRUE(spec);
        temp.rewrite(now);
        // The clock of a file system ticks slowly: an hour ago is a time of its own.
        const auto written = std::filesystem::last_write_time(temp.path());
        std::filesystem::last_write_time(temp.path(), written - std::chrono::hours(1));
        const auto weights = load_weights(**file, *spec, {.kernels = &kernels::generic_table()});
        ASSERT_FALSE(weights);
        EXPECT_EQ(weights.error().code, ErrorCode::kIo);
        EXPECT_THAT(weights.error().detail, HasSubstr("load it again when it is whole"));
    }
}

TEST(Weights, AFileThatIsReplacedAfterItWasCheckedLoadsAsItWas) {
    const TempFile temp(TinyFile().bytes());
    const auto file = gguf::File::open(temp.path());
    ASSERT_TRUE(file);
    const auto spec = read_spec(**file);
    ASSERT_TRUE(spec);
    // Something that a second open() would wait for.
    std::filesystem::remove(temp.path());
    ASSERT_EQ(::mkfifo(temp.path().c_str(), 0600), 0);
    const auto weights = load_weights(**file, *spec, {.kernels = &kernels::generic_table()});
    ASSERT_TRUE(weights) << weights.error().detail;
    EXPECT_EQ(weights->output_norm[31], 31.0F);
}

}  // namespace
}  // namespace notso::ml

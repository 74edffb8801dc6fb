// The types of every tensor against llama.cpp's. The expected types were printed by llama.cpp
// itself (llama_model_quantize with dry_run, libllama of node-llama-cpp 3.22.1) for files with
// these tensors.
#include "ml/quant/mix.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace notso::ml::quant {
namespace {

using enum gguf::TensorType;

struct Geometry {
    std::uint64_t layers, hidden, ffn, queries, keys, vocab;
};
constexpr Geometry kSmolLm3{36, 2048, 11008, 2048, 512, 128256};
constexpr Geometry kLlama32{16, 2048, 8192, 2048, 512, 128256};
constexpr Geometry kSmolLm2{30, 576, 1536, 576, 192, 49152};

gguf::Tensor tensor(std::string name, std::vector<std::uint64_t> shape) {
    const gguf::TensorType type = shape.size() == 1 ? kF32 : kBF16;
    return {std::move(name), type, std::move(shape), 0, {}};
}

std::vector<gguf::Tensor> tensors_of(const Geometry& g) {
    std::vector<gguf::Tensor> out = {tensor("token_embd.weight", {g.hidden, g.vocab}),
                                     tensor("output_norm.weight", {g.hidden})};
    for (std::uint64_t i = 0; i < g.layers; ++i) {
        const auto add = [&](std::string_view name, std::vector<std::uint64_t> shape) {
            out.push_back(tensor(fmt::format("blk.{}.{}.weight", i, name), std::move(shape)));
        };
        add("attn_norm", {g.hidden});
        add("ffn_norm", {g.hidden});
        add("attn_q", {g.hidden, g.queries});
        add("attn_k", {g.hidden, g.keys});
        add("attn_v", {g.hidden, g.keys});
        add("attn_output", {g.queries, g.hidden});
        add("ffn_gate", {g.hidden, g.ffn});
        add("ffn_up", {g.hidden, g.ffn});
        add("ffn_down", {g.ffn, g.hidden});
    }
    return out;
}

/// What llama.cpp gave: the embedding, most matrices, and ffn_down and attn_v in ordinary and
/// better layers.
struct Expected {
    const char* mix;
    gguf::TensorType embedding, most, value, better_value, down, better_down;
};

struct Row {
    const char* model;
    Geometry geometry;
    std::vector<std::uint64_t> better_layers;
    std::vector<Expected> mixes;
};

const std::vector<Row>& table() {
    static const std::vector<Row> kRows = {
        {"SmolLM3-3B",
         kSmolLm3,
         {0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 31, 32, 33, 34, 35},
         {{"Q8_0", kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ8_0},
          {"Q4_0", kQ6_K, kQ4_0, kQ4_0, kQ4_0, kQ4_0, kQ4_0},
          {"Q4_K_M", kQ6_K, kQ4_K, kQ4_K, kQ6_K, kQ4_K, kQ6_K},
          {"Q5_K_M", kQ6_K, kQ5_K, kQ5_K, kQ6_K, kQ5_K, kQ6_K},
          {"Q6_K", kQ6_K, kQ6_K, kQ6_K, kQ6_K, kQ6_K, kQ6_K},
          {"F16", kF16, kF16, kF16, kF16, kF16, kF16}}},
        {"Llama-3.2-1B",
         kLlama32,
         {0, 1, 4, 7, 10, 13, 14, 15},
         {{"Q8_0", kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ8_0},
          {"Q4_0", kQ6_K, kQ4_0, kQ4_0, kQ4_0, kQ4_0, kQ4_0},
          {"Q4_K_M", kQ6_K, kQ4_K, kQ4_K, kQ6_K, kQ4_K, kQ6_K},
          {"Q5_K_M", kQ6_K, kQ5_K, kQ5_K, kQ6_K, kQ5_K, kQ6_K},
          {"Q6_K", kQ6_K, kQ6_K, kQ6_K, kQ6_K, kQ6_K, kQ6_K},
          {"F16", kF16, kF16, kF16, kF16, kF16, kF16}}},
        {"SmolLM2-135M",
         kSmolLm2,
         {0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 26, 27, 28, 29},
         {{"Q8_0", kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ8_0},
          {"Q4_0", kQ8_0, kQ4_0, kQ4_0, kQ4_0, kQ4_0, kQ4_0},
          {"Q4_K_M", kQ8_0, kQ5_0, kQ5_0, kQ8_0, kQ4_K, kQ6_K},
          {"Q5_K_M", kQ8_0, kQ5_1, kQ5_1, kQ8_0, kQ5_K, kQ6_K},
          {"Q6_K", kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ6_K, kQ6_K},
          {"F16", kF16, kF16, kF16, kF16, kF16, kF16}}},
    };
    return kRows;
}

gguf::TensorType expected_type(const Row& row, const Expected& mix, const gguf::Tensor& tensor) {
    if (tensor.shape.size() == 1) return kF32;
    if (tensor.name == "token_embd.weight") return mix.embedding;
    const bool better = std::ranges::any_of(row.better_layers, [&](std::uint64_t layer) {
        return tensor.name.starts_with(fmt::format("blk.{}.", layer));
    });
    if (tensor.name.ends_with("attn_v.weight")) return better ? mix.better_value : mix.value;
    if (tensor.name.ends_with("ffn_down.weight")) return better ? mix.better_down : mix.down;
    return mix.most;
}

gguf::TensorType chosen(std::string_view mix, const ModelShape& shape, const gguf::Tensor& tensor) {
    return choose_types(*find_mix(mix), shape, std::span(&tensor, 1)).front().type;
}

TEST(QuantizeMix, EveryTensorHasTheTypeThatLlamaCppGivesIt) {
    for (const Row& row : table()) {
        const std::vector<gguf::Tensor> tensors = tensors_of(row.geometry);
        for (const Expected& mix : row.mixes) {
            const auto choices =
                choose_types(*find_mix(mix.mix), {row.geometry.layers, true}, tensors);
            ASSERT_EQ(choices.size(), tensors.size());
            for (std::size_t i = 0; i < tensors.size(); ++i) {
                EXPECT_EQ(choices[i].type, expected_type(row, mix, tensors[i]))
                    << row.model << ' ' << mix.mix << ' ' << tensors[i].name;
            }
        }
    }
}

TEST(QuantizeMix, ASeparateOutputMatrixTakesTheBetterTypeFromTheEmbedding) {
    const std::vector<gguf::Tensor> tensors = {tensor("token_embd.weight", {2048, 4096}),
                                               tensor("output.weight", {2048, 4096})};
    const auto choices = choose_types(*find_mix("Q4_K_M"), {16, true}, tensors);
    EXPECT_EQ(choices[0].type, kQ4_K);
    EXPECT_EQ(choices[1].type, kQ6_K);
}

TEST(QuantizeMix, ModelsOfEightyLayersSpendMoreOnSharedValues) {
    const gguf::Tensor value = tensor("blk.12.attn_v.weight", {8192, 1024});
    EXPECT_EQ(chosen("Q4_K_M", {80, true}, value), kQ6_K);
    const gguf::Tensor ordinary = tensor("blk.13.attn_v.weight", {8192, 1024});
    EXPECT_EQ(chosen("Q4_K_M", {80, true}, ordinary), kQ5_K);
    EXPECT_EQ(chosen("Q4_K_M", {80, false}, ordinary), kQ4_K);
    EXPECT_EQ(chosen("Q5_K_M", {80, true}, ordinary), kQ5_K);
}

TEST(QuantizeMix, OddColumnsFallBackAndSaySo) {
    const std::map<std::string_view, std::pair<gguf::TensorType, gguf::TensorType>> fallbacks = {
        {"Q4_K_M", {kQ4_K, kQ5_0}}, {"Q5_K_M", {kQ5_K, kQ5_1}}, {"Q6_K", {kQ6_K, kQ8_0}}};
    for (const auto& [mix, types] : fallbacks) {
        const gguf::Tensor by32 = tensor("blk.5.attn_q.weight", {288, 64});
        const gguf::Tensor by2 = tensor("blk.5.attn_q.weight", {290, 64});
        const auto choice = choose_types(*find_mix(mix), {8, true}, std::span(&by32, 1)).front();
        EXPECT_EQ(choice.wanted, types.first);
        EXPECT_EQ(choice.type, types.second);
        EXPECT_EQ(chosen(mix, {8, true}, by2), kF16);
    }
    EXPECT_EQ(chosen("Q4_0", {8, true}, tensor("blk.5.attn_q.weight", {290, 64})), kF16);
    EXPECT_EQ(chosen("Q8_0", {8, true}, tensor("blk.5.attn_q.weight", {290, 64})), kF16);
}

TEST(QuantizeMix, NormsBiasesRoutersAndVectorsKeepTheirType) {
    for (const char* name :
         {"blk.0.attn_norm.weight", "blk.0.ffn_gate_inp.weight", "blk.0.attn_q.bias"})
        EXPECT_EQ(chosen("Q4_0", {8, true}, tensor(name, {256, 256})), kBF16) << name;
    EXPECT_EQ(chosen("Q4_0", {8, true}, tensor("blk.0.attn_q.weight", {256, 1, 1})), kBF16);
    EXPECT_EQ(chosen("Q4_0", {8, true}, tensor("rope_freqs.weight", {64})), kF32);
}

TEST(QuantizeMix, NamesAreFoundInAnyCaseAndUnknownOnesGetTheList) {
    EXPECT_EQ(find_mix("q4_k_m")->name, "Q4_K_M");
    EXPECT_EQ(find_mix("Q5_K_m")->file_type, 17u);
    const auto unknown = find_mix("Q4_K");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(unknown.error().detail.find("Q8_0, Q4_0, Q4_K_M, Q5_K_M, Q6_K, F16"),
              std::string::npos);
}

}  // namespace
}  // namespace notso::ml::quant

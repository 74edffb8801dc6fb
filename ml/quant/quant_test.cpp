// Every block type against golden blocks decoded by the Python `gguf` package
// (tests/oracle/make_quant_golden.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "ml/quant/type_table.hpp"

namespace notso::ml::quant {
namespace {

std::vector<char> read_golden(std::string_view type, std::string_view suffix) {
    std::string name(type);
    std::ranges::transform(
        name, name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    std::ifstream in(fmt::format("{}/tests/golden/quant/{}{}", NOTSO_SOURCE_DIR, name, suffix),
                     std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class QuantType : public testing::TestWithParam<TypeTraits> {};

TEST_P(QuantType, DecodesBitEqualToTheReference) {
    const TypeTraits& type = GetParam();
    const std::vector<char> blocks = read_golden(type.name, ".blocks");
    const std::vector<char> golden = read_golden(type.name, ".f32");
    const std::size_t n = blocks.size() / type.bytes * type.elements;
    ASSERT_GE(n, 512u) << "golden data is missing";
    ASSERT_EQ(golden.size(), n * sizeof(float));
    std::vector<float> expected(n);
    std::memcpy(expected.data(), golden.data(), golden.size());

    std::vector<float> decoded(n, -1.0f);
    type.decode(reinterpret_cast<const std::byte*>(blocks.data()), decoded.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
        if (std::isnan(expected[i])) {
            EXPECT_TRUE(std::isnan(decoded[i])) << i;
        } else {
            EXPECT_EQ(std::bit_cast<std::uint32_t>(decoded[i]),
                      std::bit_cast<std::uint32_t>(expected[i]))
                << i;
        }
    }
}

TEST_P(QuantType, DotProductIsTheSumOverDecodedWeights) {
    const TypeTraits& type = GetParam();
    const std::vector<char> golden = read_golden(type.name, ".blocks");
    std::vector<std::byte> blocks;  // those with ordinary weights
    std::vector<float> weights;
    for (std::size_t at = 0; at < golden.size(); at += type.bytes) {
        const auto* block = reinterpret_cast<const std::byte*>(golden.data() + at);
        std::vector<float> decoded(type.elements);
        type.decode(block, decoded.data(), type.elements);
        if (std::ranges::any_of(decoded, [](float w) { return !(std::abs(w) < 100.0f); })) continue;
        blocks.insert(blocks.end(), block, block + type.bytes);
        weights.insert(weights.end(), decoded.begin(), decoded.end());
    }
    std::vector<float> x(weights.size());
    double expected = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50) / 25.0f;
        expected += static_cast<double>(weights[i]) * static_cast<double>(x[i]);
    }
    ASSERT_GT(std::abs(expected), 1e-3);
    EXPECT_FLOAT_EQ(type.dot(blocks.data(), x.data(), x.size()), static_cast<float>(expected));
}

INSTANTIATE_TEST_SUITE_P(AllTypes,
                         QuantType,
                         testing::ValuesIn(runnable_types().begin(), runnable_types().end()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(TypeTable, GeometryAgreesWithTheFileFormat) {
    for (const TypeTraits& traits : runnable_types()) {
        const auto layout = gguf::block_layout(traits.type);
        ASSERT_TRUE(layout) << traits.name;
        EXPECT_EQ(layout->name, traits.name);
        EXPECT_EQ(layout->elements, traits.elements) << traits.name;
        EXPECT_EQ(layout->bytes, traits.bytes) << traits.name;
    }
    EXPECT_EQ(find_type(gguf::TensorType::kIQ2_XXS), nullptr);
    EXPECT_EQ(runnable_type_names(),
              "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, "
              "IQ4_XS");
}

}  // namespace
}  // namespace notso::ml::quant

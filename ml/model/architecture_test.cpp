// What each architecture says of itself: nothing in a file says it.
#include "ml/model/architecture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/model/registry.hpp"

namespace notso::ml {
namespace {

using ::testing::HasSubstr;

/// "R" for each layer that rotates, "-" for each that does not.
std::string rotation(std::string_view name) {
    const auto architecture = find_architecture(name);
    if (!architecture) return architecture.error().detail;
    std::string text;
    for (std::int32_t layer = 0; layer < 9; ++layer)
        text += (*architecture)->rotates(layer) ? 'R' : '-';
    return text;
}

TEST(Architecture, OnlySmolLm3HasLayersWithoutPositions) {
    EXPECT_EQ(rotation("smollm3"), "RRR-RRR-R");
    for (const char* name : {"llama", "qwen2", "qwen3"}) EXPECT_EQ(rotation(name), "RRRRRRRRR");
}

TEST(Architecture, RowsArePairedAsTheConvertersWriteThem) {
    for (const char* name : {"llama", "smollm3"})
        EXPECT_EQ((*find_architecture(name))->stored_pairs, RopePairs::kInterleaved) << name;
    for (const char* name : {"qwen2", "qwen3"})
        EXPECT_EQ((*find_architecture(name))->stored_pairs, RopePairs::kHalfSplit) << name;
}

TEST(Architecture, OthersAreRefusedWithTheListOfWhatRuns) {
    for (const char* name : {"qwen2moe", "qwen3moe", "qwen2vl", "gemma2", "Llama", "llama ", ""}) {
        const auto architecture = find_architecture(name);
        ASSERT_FALSE(architecture) << name;
        EXPECT_EQ(architecture.error().code, ErrorCode::kUnsupported);
        EXPECT_THAT(architecture.error().detail, HasSubstr(name));
        EXPECT_THAT(architecture.error().detail, HasSubstr("it runs llama, smollm3, qwen2, qwen3"));
    }
}

}  // namespace
}  // namespace notso::ml

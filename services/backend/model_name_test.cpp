#include "services/backend/model_name.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

TEST(ModelDisplayName, DropsTheFileTypeAtTheEnd) {
    EXPECT_EQ(model_display_name("SmolLM2-135M-Instruct.Q4_1", "Q4_1"), "SmolLM2-135M-Instruct");
    EXPECT_EQ(model_display_name("SmolLM3-3B-Q4_K_M", "Q4_K_M"), "SmolLM3-3B");
    EXPECT_EQ(model_display_name("qwen2.5-0.5b-q8_0", "Q8_0"), "qwen2.5-0.5b");
}

TEST(ModelDisplayName, KeepsEverythingElse) {
    EXPECT_EQ(model_display_name("model", "Q4_1"), "model");
    EXPECT_EQ(model_display_name("tinyQ4_1", "Q4_1"), "tinyQ4_1");
    EXPECT_EQ(model_display_name("-Q4_1", "Q4_1"), "-Q4_1");
    EXPECT_EQ(model_display_name("Q4_1", "Q4_1"), "Q4_1");
    EXPECT_EQ(model_display_name("model-Q4_1", ""), "model-Q4_1");
    EXPECT_EQ(model_display_name("", "Q4_1"), "");
}

}  // namespace
}  // namespace notso::services

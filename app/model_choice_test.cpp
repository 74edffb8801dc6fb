// Which file is run: names, defaults, memory.
#include "app/model_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace notso::app {
namespace {

using ::testing::HasSubstr;
constexpr std::uint64_t kPlenty = 1ULL << 40;

class ModelChoiceTest : public ::testing::Test {
  protected:
    void SetUp() override {
        settings_.models_dir =
            std::filesystem::temp_directory_path() / ("notso_models_" + std::to_string(::getpid()));
        std::filesystem::create_directories(settings_.models_dir);
    }
    void TearDown() override { std::filesystem::remove_all(settings_.models_dir); }

    std::filesystem::path add(const std::string& file, std::uintmax_t bytes) const {
        const auto path = settings_.models_dir / file;
        std::ofstream(path).put('x');
        std::filesystem::resize_file(path, bytes);
        return path;
    }

    Settings settings_;
};

TEST_F(ModelChoiceTest, EmptyFolderSaysHowToGetAModel) {
    const auto chosen = choose_model(settings_, kPlenty);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(chosen.error().detail, HasSubstr(settings_.models_dir.string()));
    EXPECT_THAT(chosen.error().detail, HasSubstr("models/download.sh"));
}

TEST_F(ModelChoiceTest, LargestThatFitsWins) {
    const auto small = add("small.gguf", 100ULL << 20);
    const auto large = add("large.gguf", 2ULL << 30);
    add("huge.gguf.part", 4ULL << 30);
    EXPECT_EQ(choose_model(settings_, kPlenty).value(), large);
    EXPECT_EQ(choose_model(settings_, 1ULL << 30).value(), small);
    const auto none = choose_model(settings_, 64ULL << 20);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kOutOfMemory);
    EXPECT_THAT(none.error().detail, HasSubstr("64 MiB"));
}

TEST_F(ModelChoiceTest, ModelGgufIsTheDefaultWhateverItsSize) {
    add("large.gguf", 2ULL << 30);
    const auto standard = add("model.gguf", 10);
    EXPECT_EQ(choose_model(settings_, kPlenty).value(), standard);
}

TEST_F(ModelChoiceTest, NamesMeanInstalledModelsAndPathsMeanFiles) {
    const auto small = add("Small.Q4_1.gguf", 10);
    add("other.gguf", 20);
    for (const std::string& name :
         {std::string("Small.Q4_1"), std::string("Small.Q4_1.gguf"), small.string()}) {
        settings_.model = name;
        EXPECT_EQ(choose_model(settings_, kPlenty).value(), small) << name;
    }
}

TEST_F(ModelChoiceTest, ShortNamesMeanWhatPullInstalls) {
    settings_.model = "smollm3";
    EXPECT_FALSE(choose_model(settings_, kPlenty));
    const auto pulled = add("SmolLM3-3B-Q4_K_M.gguf", 10);
    EXPECT_EQ(choose_model(settings_, kPlenty).value(), pulled);
    const auto own = add("smollm3.gguf", 10);
    EXPECT_EQ(choose_model(settings_, kPlenty).value(), own) << "a file of that name wins";
}

TEST_F(ModelChoiceTest, WhatIsNotThereIsNamed) {
    settings_.model = "nothing";
    EXPECT_THAT(choose_model(settings_, kPlenty).error().detail,
                HasSubstr("no model named \"nothing\""));
    settings_.model = "/no/where.gguf";
    EXPECT_THAT(choose_model(settings_, kPlenty).error().detail,
                HasSubstr("/no/where.gguf does not exist"));
    settings_.model = settings_.models_dir.string();
    EXPECT_THAT(choose_model(settings_, kPlenty).error().detail, HasSubstr("is a folder"));
}

}  // namespace
}  // namespace notso::app

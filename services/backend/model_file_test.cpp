// What a header tells of a model, and which files of a folder are models.
#include "services/backend/model_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "ml/model/golden_models.hpp"
#include "services/backend/token_counter.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

TEST(ModelFileTest, TheHeaderTells) {
    const fs::path path = ml::test::golden_model("tiny_smollm3");
    const ModelFile model = describe_model(path, {});
    EXPECT_EQ(model.path, path);
    EXPECT_EQ(model.file_bytes, fs::file_size(path));
    EXPECT_EQ(model.info.id, "tiny_smollm3");
    EXPECT_EQ(model.info.architecture, "smollm3");
    EXPECT_EQ(model.info.context_length, 512);
    EXPECT_GT(model.memory_bytes, model.info.weight_bytes);
    EXPECT_EQ(describe_model(path, {.context_length = 128}).info.context_length, 128);
    EXPECT_LT(describe_model(path, {.context_length = 128}).memory_bytes, model.memory_bytes);
}

TEST(ModelFileTest, WhatDoesNotRunIsNamed) {
    const TempDirectory folder;
    std::ofstream(folder.path() / "broken.gguf") << "GGUF";
    const ModelFile model = describe_model(folder.path() / "broken.gguf", {});
    EXPECT_EQ(model.info.id, "broken");
    EXPECT_EQ(model.info.name, "broken");
    EXPECT_EQ(model.file_bytes, 4U);
    EXPECT_EQ(model.memory_bytes, 0U);
    EXPECT_FALSE(TokenCounter::open(folder.path() / "broken.gguf", std::nullopt));
}

TEST(ModelFileTest, PartsAndFoldersAreNoModels) {
    const TempDirectory folder;
    EXPECT_TRUE(list_model_files(folder.path() / "none")->empty());
    for (const char* name : {"b.gguf", "a.gguf", "c.gguf.part", "c.gguf.part.json", "d.txt"})
        std::ofstream(folder.path() / name) << "x";
    fs::create_directory(folder.path() / "e.gguf");
    const auto files = list_model_files(folder.path());
    ASSERT_TRUE(files);
    EXPECT_EQ(*files, (std::vector{folder.path() / "a.gguf", folder.path() / "b.gguf"}));
}

TEST(ModelFileTest, TokensAreCountedWithoutWeights) {
    const auto counter = TokenCounter::open(ml::test::golden_model("tiny_smollm3"), std::nullopt);
    ASSERT_TRUE(counter) << counter.error().detail;
    ChatRequest request;
    request.messages.push_back({.role = "user", .content = "hello"});
    const auto few = (*counter)->count(request);
    ASSERT_TRUE(few) << few.error().detail;
    request.messages.front().content += std::string(100, 'x');
    EXPECT_GT((*counter)->count(request).value(), *few);
}

}  // namespace
}  // namespace notso::services

// What a header alone tells, against what loading the same file does.
#include "ml/model/preview.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "ml/model/golden_models.hpp"
#include "ml/model/model.hpp"

namespace notso::ml {
namespace {

ModelPreview preview(const std::filesystem::path& path) {
    const auto file = gguf::File::open(path);
    EXPECT_TRUE(file);
    auto preview = preview_model(**file);
    EXPECT_TRUE(preview);
    return *std::move(preview);
}

TEST(Preview, AgreesWithTheLoadedModel) {
    for (const char* name : {"tiny_smollm3", "tiny_llama", "tiny_odd"}) {
        const auto told = preview(test::golden_model(name));
        const auto model = Model::load(test::golden_model(name));
        ASSERT_TRUE(model);
        EXPECT_TRUE(told.problems.empty()) << name << ": " << told.problems[0].detail;
        ASSERT_TRUE(told.memory) << name;
        EXPECT_TRUE(told.fits);
        EXPECT_EQ(told.memory->kv_bytes_per_token,
                  kv_bytes_per_token((*model)->config(), KvType::kF16));
        EXPECT_EQ(told.spec->config.n_layers, (*model)->config().n_layers);
        for (const PreviewType& type : told.types) EXPECT_NE(type.kernel, "") << type.name;
    }
}

TEST(Preview, ListsLayersWithoutRotation) {
    EXPECT_EQ(preview(test::golden_model("tiny_smollm3")).nope_layers, (std::vector{3}));
    EXPECT_TRUE(preview(test::golden_model("tiny_llama")).nope_layers.empty());
}

TEST(Preview, SaysWhatLoadingWouldSay) {
    // The same file with a tensor under another name: its length stays.
    std::ifstream in(test::golden_model("tiny_smollm3"), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    const auto at = bytes.find("blk.0.attn_q.weight");
    ASSERT_NE(at, std::string::npos);
    bytes[at + 11] = 'Q';
    const std::filesystem::path path =
        std::filesystem::path(::testing::TempDir()) / "preview_renamed.gguf";
    std::ofstream(path, std::ios::binary) << bytes;
    const auto told = preview(path);
    const auto model = Model::load(path);
    std::filesystem::remove(path);
    ASSERT_FALSE(model);
    ASSERT_EQ(told.problems.size(), 1U);
    EXPECT_EQ(told.problems[0].part, "tensors");
    EXPECT_NE(model.error().detail.find(told.problems[0].detail), std::string::npos)
        << told.problems[0].detail << " / " << model.error().detail;
    EXPECT_FALSE(told.memory);
}

}  // namespace
}  // namespace notso::ml

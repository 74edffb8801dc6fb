// gguf::File on well-formed files: what was written is what is read, and typed access judges types.
#include "ml/gguf/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>

#include "ml/gguf/test_writer.hpp"

namespace notso::ml::gguf {
namespace {

using test::TempFile;
using test::Writer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Writer sample() {
    static const std::array<float, 8> values = {0, 1, 2, 3, 4, 5, 6, 7};
    Writer writer;
    writer.key("general.architecture", "llama")
        .key("a.u8", std::uint8_t{200})
        .key("a.i32", std::int32_t{-5})
        .key("a.u64", ~std::uint64_t{0})
        .key("a.f32", 0.5F)
        .key("a.f64", 0.25)
        .key("a.bool", true)
        .array<std::string>("a.strings", {"x", "", "z\xC3\xA4"})
        .array<std::int32_t>("a.ints", {3, -4})
        .array<std::uint64_t>("a.huge", {~std::uint64_t{0}})
        .array<float>("a.floats", {1.0F})
        .array<std::string>("a.none", {});
    writer.tensor_f32("first", {4, 2}, values)
        .tensor("second", {32}, TensorType::kQ8_0, std::string(34, '\x7F'))
        .tensor_f32("third", {2, 2, 1, 2}, values);
    return writer;
}

std::shared_ptr<const File> open_ok(const std::filesystem::path& path) {
    auto file = File::open(path);
    EXPECT_TRUE(file.has_value()) << file.error().detail;
    return file.value_or(nullptr);
}

TEST(GgufFile, GivesKeysOfEveryType) {
    const TempFile temp(sample().bytes());
    const auto file = open_ok(temp.path());
    ASSERT_TRUE(file);
    EXPECT_EQ(file->version(), 3U);
    EXPECT_EQ(file->metadata().size(), 12U);
    EXPECT_EQ(file->get_string("general.architecture"), "llama");
    EXPECT_EQ(file->get_uint("a.u8"), 200U);
    EXPECT_EQ(file->get_uint("a.u64"), ~std::uint64_t{0});
    EXPECT_EQ(file->get_float("a.f32"), 0.5);
    EXPECT_EQ(file->get_float("a.f64"), 0.25);
    EXPECT_EQ(file->get_bool("a.bool"), true);
    EXPECT_THAT(file->get_strings("a.strings").value().value(), ElementsAre("x", "", "z\xC3\xA4"));
    EXPECT_THAT(file->get_ints("a.ints").value().value(), ElementsAre(3, -4));
    EXPECT_TRUE(file->get_strings("a.none").value().value().empty());
}

TEST(GgufFile, MissingKeysAreEmpty) {
    const TempFile temp(sample().bytes());
    const auto file = open_ok(temp.path());
    EXPECT_EQ(file->get_uint("no").value(), std::nullopt);
    EXPECT_EQ(file->get_strings("no").value(), std::nullopt);
    EXPECT_EQ(file->find("a.u9"), nullptr);
    EXPECT_EQ(file->find_tensor("firs"), nullptr);
}

TEST(GgufFile, OtherTypesAreCorruptAndNamed) {
    const TempFile temp(sample().bytes());
    const auto file = open_ok(temp.path());
    const auto expect_corrupt = [](const auto& result, std::string_view key) {
        ASSERT_FALSE(result.has_value()) << key;
        EXPECT_EQ(result.error().code, ErrorCode::kCorruptData);
        EXPECT_THAT(result.error().detail, HasSubstr(std::string(key)));
        EXPECT_THAT(result.error().detail, HasSubstr("at byte "));
    };
    expect_corrupt(file->get_uint("a.i32"), "a.i32");
    expect_corrupt(file->get_uint("a.bool"), "a.bool");
    expect_corrupt(file->get_uint("a.f32"), "a.f32");
    expect_corrupt(file->get_float("a.u8"), "a.u8");
    expect_corrupt(file->get_bool("a.u8"), "a.u8");
    expect_corrupt(file->get_string("a.strings"), "a.strings");
    expect_corrupt(file->get_strings("a.ints"), "a.ints");
    expect_corrupt(file->get_strings("general.architecture"), "general.architecture");
    expect_corrupt(file->get_ints("a.floats"), "a.floats");
    expect_corrupt(file->get_ints("a.huge"), "a.huge");
    expect_corrupt(file->get_ints("a.u8"), "a.u8");
}

TEST(GgufFile, TensorsPointIntoTheFile) {
    const TempFile temp(sample().bytes());
    const auto file = open_ok(temp.path());
    ASSERT_EQ(file->tensors().size(), 3U);
    const Tensor* third = file->find_tensor("third");
    ASSERT_NE(third, nullptr);
    EXPECT_THAT(third->shape, ElementsAre(2, 2, 1, 2));
    ASSERT_EQ(third->data.size(), 32U);
    float last = 0;
    std::memcpy(&last, third->data.data() + 28, 4);
    EXPECT_EQ(last, 7.0F);
    const Tensor* second = file->find_tensor("second");
    EXPECT_EQ(second->data.size(), 34U);
    EXPECT_EQ(second->data.front(), std::byte{0x7F});
    EXPECT_EQ(second->file_offset % 32, 0U);
}

TEST(GgufFile, ReadsVersion2AndOtherAlignments) {
    for (const std::uint32_t alignment : {8U, 64U, 4096U, 1U << 20}) {
        Writer writer = sample();
        writer.alignment = alignment;
        writer.version = 2;
        writer.key("general.alignment", alignment);
        writer.tensor_f32("fourth", {1}, std::array{9.0F});
        // The first tensors were placed for 32: only multiples of it fit.
        const TempFile temp(writer.bytes());
        const auto file = File::open(temp.path());
        if (alignment > 32) {
            EXPECT_FALSE(file.has_value());
            continue;
        }
        ASSERT_TRUE(file.has_value()) << file.error().detail;
        EXPECT_EQ((*file)->version(), 2U);
        EXPECT_EQ((*file)->find_tensor("fourth")->data.size(), 4U);
    }
}

TEST(GgufFile, ReadsHeadersLongerThanTheFirstRead) {
    Writer writer;
    std::vector<std::string> many(300'000, std::string(12, 'w'));
    many.back() = "the last one";
    writer.array<std::string>("long", many).key("after", std::uint32_t{7});
    const TempFile temp(writer.bytes());
    const auto file = open_ok(temp.path());
    EXPECT_EQ(file->get_strings("long").value()->back(), "the last one");
    EXPECT_EQ(file->get_uint("after"), 7U);
}

TEST(GgufFile, NamesWhatCannotBeOpened) {
    const auto missing = File::open("/nonexistent/model.gguf");
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(missing.error().detail, HasSubstr("/nonexistent/model.gguf"));
    const auto folder = File::open(std::filesystem::temp_directory_path());
    ASSERT_FALSE(folder.has_value());
    EXPECT_EQ(folder.error().code, ErrorCode::kIo);
    const TempFile pipe("");
    std::filesystem::remove(pipe.path());
    ASSERT_EQ(::mkfifo(pipe.path().c_str(), 0600), 0);
    EXPECT_FALSE(File::open(pipe.path()).has_value());
}

TEST(GgufFile, MetadataSurvivesAFileThatShrinks) {
    const TempFile temp(sample().bytes());
    const auto file = open_ok(temp.path());
    EXPECT_TRUE(file->check_whole().has_value());
    temp.rewrite("");
    EXPECT_EQ(file->get_string("general.architecture"), "llama");
    EXPECT_THAT(file->get_strings("a.strings").value()->back(), "z\xC3\xA4");
    const auto whole = file->check_whole();
    ASSERT_FALSE(whole.has_value());
    EXPECT_EQ(whole.error().code, ErrorCode::kIo);
    EXPECT_THAT(whole.error().detail, HasSubstr(temp.path().string()));
}

TEST(BlockLayout, KnowsTheUsualTypes) {
    EXPECT_EQ(block_layout(TensorType::kQ4_K)->bytes, 144U);
    EXPECT_EQ(block_layout(TensorType::kQ6_K)->elements, 256U);
    EXPECT_EQ(block_layout(TensorType::kQ4_1)->name, "Q4_1");
    EXPECT_FALSE(block_layout(static_cast<TensorType>(4)).has_value());
    EXPECT_FALSE(block_layout(static_cast<TensorType>(0xFFFFFFFF)).has_value());
}

}  // namespace
}  // namespace notso::ml::gguf

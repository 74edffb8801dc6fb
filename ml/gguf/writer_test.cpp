#include "ml/gguf/writer.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "ml/gguf/test_writer.hpp"

namespace notso::ml::gguf {
namespace {

std::string content(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A folder of its own, so that leftovers show.
class GgufWriter : public testing::Test {
  protected:
    GgufWriter() { std::filesystem::create_directory(folder_); }
    ~GgufWriter() override { std::filesystem::remove_all(folder_); }
    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(folder_), {}));
    }

    test::TempFile place_{"", ""};
    std::filesystem::path folder_ = place_.path().string() + ".d";
    std::filesystem::path out_ = folder_ / "out.gguf";
};

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// A file with a key of every type.
test::Writer every_type(std::uint32_t alignment) {
    test::Writer writer;
    writer.alignment = alignment;
    writer.key("a.u8", std::uint8_t{200}).key("a.i8", std::int8_t{-5});
    writer.key("a.u16", std::uint16_t{40000}).key("a.i16", std::int16_t{-30000});
    writer.key("a.u32", std::uint32_t{7}).key("a.i32", std::int32_t{-7});
    writer.key("a.u64", std::uint64_t{1} << 63).key("a.i64", std::int64_t{-1} << 60);
    writer.key("a.f32", 1.5f).key("a.f64", -2.25).key("a.bool", true).key("a.text", "h\xC3\xA9\n");
    writer.key("general.alignment", alignment);
    writer.array<std::string>("a.texts", {"", "x", "yz"}).array<std::int32_t>("a.ints", {1, -2});
    writer.array<float>("a.floats", {0.5f}).array<std::uint8_t>("a.none", {});
    return writer;
}

TEST_F(GgufWriter, AFileWrittenFromAnotherIsTheSameFile) {
    for (const std::uint32_t alignment : {32u, 8u, 256u}) {
        test::Writer writer = every_type(alignment);
        const std::vector<float> values(10, 0.25f);
        writer.tensor_f32("first", {5, 2}, values).tensor_f32("second", {10}, values);
        const test::TempFile source(writer.bytes());
        const auto file = File::open(source.path());
        ASSERT_TRUE(file) << file.error().detail;
        std::vector<NewTensor> tensors;
        for (const Tensor& tensor : (*file)->tensors())
            tensors.push_back({tensor.name, tensor.type, tensor.shape});
        const auto layout = lay_out((*file)->metadata(), tensors);
        ASSERT_TRUE(layout);
        auto out = Writer::create(out_, *layout, IfExists::kReplace);
        ASSERT_TRUE(out) << out.error().detail;
        for (const Tensor& tensor : (*file)->tensors()) {
            ASSERT_TRUE(out->write(tensor.data.first(7)));  // pieces of any size
            ASSERT_TRUE(out->write(tensor.data.subspan(7)));
        }
        ASSERT_TRUE(out->commit());
        EXPECT_EQ(content(out_), content(source.path()));
        EXPECT_EQ(layout->file_bytes, content(out_).size());
    }
    EXPECT_EQ(files(), 1u);
}

TEST_F(GgufWriter, NothingStaysOfAnUnfinishedFile) {
    const NewTensor tensor{"t", TensorType::kF32, {4}};
    const auto layout = lay_out({}, std::span(&tensor, 1));
    {
        auto out = Writer::create(out_, *layout, IfExists::kRefuse);
        ASSERT_TRUE(out);
        EXPECT_EQ(files(), 1u);
        EXPECT_FALSE(std::filesystem::exists(out_)) << "a half file has the final name";
        ASSERT_TRUE(out->write(bytes_of("12345678")));
        const auto early = out->commit();
        ASSERT_FALSE(early);
        EXPECT_EQ(early.error().code, ErrorCode::kInternal);
    }
    EXPECT_EQ(files(), 0u);
}

TEST_F(GgufWriter, AFileThatIsThereStaysUnlessItMayBeReplaced) {
    std::ofstream(out_) << "precious";
    const auto layout = lay_out({}, {});
    const auto refused = Writer::create(out_, *layout, IfExists::kRefuse);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(content(out_), "precious");
    auto out = Writer::create(out_, *layout, IfExists::kReplace);
    ASSERT_TRUE(out);
    EXPECT_EQ(content(out_), "precious") << "replaced before the new one is whole";
    ASSERT_TRUE(out->commit());
    EXPECT_TRUE(content(out_).starts_with("GGUF"));
    EXPECT_EQ(files(), 1u);
}

TEST_F(GgufWriter, AFileThatAppearedMeanwhileStays) {
    const auto layout = lay_out({}, {});
    {
        auto out = Writer::create(out_, *layout, IfExists::kRefuse);
        ASSERT_TRUE(out);
        std::ofstream(out_) << "precious";
        const auto late = out->commit();
        ASSERT_FALSE(late);
        EXPECT_EQ(late.error().code, ErrorCode::kAlreadyExists);
    }
    EXPECT_EQ(content(out_), "precious");
    EXPECT_EQ(files(), 1u);
}

TEST_F(GgufWriter, TooLittleRoomIsRefusedBeforeTheFirstByteWithTheNumbers) {
    Layout layout = *lay_out({}, {});
    layout.file_bytes = std::uint64_t{1} << 60;
    const auto refused = Writer::create(out_, layout, IfExists::kRefuse);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
    EXPECT_NE(refused.error().detail.find("needs 1152921504606.8 MB"), std::string::npos)
        << refused.error().detail;
    EXPECT_EQ(files(), 0u);
}

TEST_F(GgufWriter, PlacesThatCanNotBeWrittenAreNamed) {
    const auto layout = lay_out({}, {});
    const auto nowhere = Writer::create(folder_ / "no" / "out.gguf", *layout, IfExists::kRefuse);
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
    EXPECT_NE(nowhere.error().detail.find("out.gguf"), std::string::npos);
    const auto on_folder = Writer::create(folder_, *layout, IfExists::kReplace);
    ASSERT_FALSE(on_folder);
    EXPECT_EQ(on_folder.error().code, ErrorCode::kAlreadyExists);
}

TEST(GgufLayout, ShapesThatDoNotFillBlocksOrWrapAreRefused) {
    const NewTensor odd{"odd", TensorType::kQ4_K, {288, 2}};
    EXPECT_EQ(lay_out({}, std::span(&odd, 1)).error().code, ErrorCode::kInvalidArgument);
    const NewTensor huge{
        "huge", TensorType::kF32, {std::uint64_t{1} << 40, std::uint64_t{1} << 40}};
    EXPECT_EQ(lay_out({}, std::span(&huge, 1)).error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace notso::ml::gguf

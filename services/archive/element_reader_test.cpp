// Objects of a large file one by one, and hostile files.
#include "services/archive/element_reader.hpp"

#include <gtest/gtest.h>

#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

class ElementReaderTest : public testing::Test {
  protected:
    std::filesystem::path file(std::string_view content) {
        const std::filesystem::path path = temp_.path() / "chats.json";
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    /// How many objects a text has, or why it can't be read.
    Result<int> count(std::string_view content) {
        NOTSO_TRY(ElementReader reader, ElementReader::open(file(content)));
        for (int n = 0;; ++n) {
            NOTSO_TRY(const auto object, reader.next());
            if (!object) return n;
        }
    }

    const TempDirectory temp_;
};

TEST_F(ElementReaderTest, GivesTheObjectsOfAnArrayOrOneObject) {
    EXPECT_EQ(count("[]"), 0);
    EXPECT_EQ(count(" [ { } , {\"a\":1}\n]\r\n "), 2);
    EXPECT_EQ(count("{\"a\":[{},{}]}"), 1);
    EXPECT_EQ(count("\xEF\xBB\xBF[{}]"), 1);
    EXPECT_EQ(count(R"([{"a":"]}\"[{","b":"\\"},{"c":{"d":[]}}])"), 2);
}

TEST_F(ElementReaderTest, TellsWhereTheyAre) {
    auto reader = ElementReader::open(file("[{}, {\"a\": 1}]"));
    ASSERT_TRUE(reader);
    ASSERT_TRUE(reader->next());
    EXPECT_EQ(reader->offset(), 1U);
    const auto second = reader->next();
    ASSERT_TRUE(second && *second);
    EXPECT_EQ((**second).at("a").as_int64(), 1);
    EXPECT_EQ(reader->number(), 2);
    EXPECT_EQ(reader->offset(), 5U);
}

TEST_F(ElementReaderTest, BrokenFilesSayWhatAndWhere) {
    for (const std::string_view broken : {"",
                                          "x",
                                          "\"text\"",
                                          "[",
                                          "[{",
                                          "[{}",
                                          "[{},",
                                          "[{} {}]",
                                          "[1]",
                                          "[{\"a\":}]",
                                          "[{]]",
                                          "[{}]x",
                                          "{}{}",
                                          "{\"a\":\"\\",
                                          "[{\"a\":\"\xFF\"}]",
                                          "[{\"a\":1e999999}]x",
                                          "[,{}]"}) {
        const auto found = count(broken);
        ASSERT_FALSE(found) << broken;
        EXPECT_EQ(found.error().code, ErrorCode::kInvalidArgument) << broken;
        EXPECT_TRUE(found.error().detail.contains("chats.json")) << found.error().detail;
        EXPECT_TRUE(found.error().detail.contains("byte ")) << found.error().detail;
    }
    EXPECT_EQ(ElementReader::open(temp_.path() / "missing").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(ElementReader::open(temp_.path()).error().code, ErrorCode::kNotFound);
}

TEST_F(ElementReaderTest, DepthAndSizeAreBounded) {
    EXPECT_EQ(count("[{\"a\":" + std::string(60, '[') + std::string(60, ']') + "}]"), 1);
    EXPECT_FALSE(count("[{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}]"));
    const std::string most(ElementReader::kMaxElementBytes - 8, 'x');
    EXPECT_EQ(count("[{\"a\":\"" + most + "\"}]"), 1);
    const auto over = count("[{\"a\":\"" + most + "x\"}]");
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, ErrorCode::kTooLarge);
    std::filesystem::resize_file(file("["), ElementReader::kMaxFileBytes + 1);  // sparse
    EXPECT_EQ(ElementReader::open(temp_.path() / "chats.json").error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace notso::services

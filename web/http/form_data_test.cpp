#include "web/http/form_data.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace notso::web {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

constexpr std::string_view kType = "multipart/form-data; boundary=b";

std::string part(std::string_view head, std::string_view content) {
    return fmt::format("--b\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n", head, content);
}

class FormDataTest : public testing::Test {
  protected:
    ~FormDataTest() override { std::filesystem::remove(path_); }

    Result<FormData> read(std::string body, std::string_view type = kType) {
        std::ofstream(path_, std::ios::binary) << body;
        body_ = std::move(body);
        return read_form_data(path_, type);
    }
    std::string content(const FormFile& file) const {
        return body_.substr(file.begin, file.end - file.begin);
    }

    const std::filesystem::path path_ =
        std::filesystem::temp_directory_path() / fmt::format("notso-form-{}", ::getpid());
    std::string body_;
};

TEST_F(FormDataTest, FieldsAndFilesInAnyOrder) {
    const std::string bytes = "a\0\r\n--x\r\n\r\n--"s + std::string(600'000, 'y');
    const auto form = read(part("name=\"files\"; filename=\"a.bin\"", bytes) +
                           part("name=\"message\"", "Was ist\r\ndas?") +
                           part("name=\"files\"; filename=\"\"", "") + part("name=\"empty\"", "") +
                           part("name=\"files\"; filename=\"e.txt\"", "") +
                           part("name=\"message\"", "second") + "--b--\r\n");
    ASSERT_TRUE(form) << form.error().detail;
    EXPECT_EQ(form->fields,
              (std::map<std::string, std::string>{{"message", "Was ist\r\ndas?"}, {"empty", ""}}));
    ASSERT_EQ(form->files.size(), 2U) << "without the one that nobody chose";
    EXPECT_EQ(form->files[0].name, "a.bin");
    EXPECT_TRUE(content(form->files[0]) == bytes);
    EXPECT_EQ(form->files[1].name, "e.txt");
    EXPECT_EQ(content(form->files[1]), "");
    EXPECT_TRUE(read("--b--\r\n")->files.empty());
}

TEST_F(FormDataTest, TheBoundaryIsFoundWhereverAPieceEnds) {
    for (std::size_t size = 262'144 - 80; size < 262'144 + 10; ++size) {
        const auto form =
            read(part("name=\"f\"; filename=\"a\"", std::string(size, 'x')) + "--b--\r\n");
        ASSERT_TRUE(form) << size;
        EXPECT_EQ(form->files[0].end - form->files[0].begin, size);
    }
}

TEST_F(FormDataTest, NamesAreAsTheBrowserHadThem) {
    const auto form =
        read(part("name=\"f\"; filename=\"a%22b%0D%0A%41\\\xFF.txt\"", "x") + "--b--");
    ASSERT_TRUE(form);
    EXPECT_EQ(form->files[0].name, "a\"b\r\n%41\\\xFF.txt");
    EXPECT_TRUE(
        read("--b\r\ncontent-DISPOSITION: form-data; name=\"f\"\r\nX: y\r\n\r\nx\r\n--b--"));
}

TEST_F(FormDataTest, NoByteLessIsAForm) {
    const std::string form =
        part("name=\"f\"; filename=\"a\"", "content") + part("name=\"m\"", "text") + "--b--";
    ASSERT_TRUE(read(form));
    for (std::size_t size = 0; size < form.size(); ++size)
        EXPECT_FALSE(read(form.substr(0, size))) << size;
}

TEST_F(FormDataTest, WhatIsNoFormIsRefused) {
    EXPECT_FALSE(read("", kType));
    EXPECT_FALSE(read("--b--", "multipart/form-data"));
    EXPECT_FALSE(read("--b--", "multipart/form-data; boundary=" + std::string(71, 'b')));
    EXPECT_FALSE(read("--c--", kType));
    EXPECT_FALSE(read("--b\r\nX\r\n\r\nx\r\n--b--"));
    EXPECT_FALSE(read("--b\r\n\r\nx\r\n--b--"));
    EXPECT_FALSE(read("--bx\r\n\r\nx\r\n--b--"));
    EXPECT_FALSE(read(part("filename=\"a\"", "x") + "--b--"));
    EXPECT_FALSE(read("--b\r\nX: " + std::string(20'000, 'x') + "\r\n\r\nx\r\n--b--"));
    for (const std::string& text : {"a\0b"s, "a\x01"s, "\xFF"s, "\x7F"s})
        EXPECT_THAT(read(part("name=\"m\"", text) + "--b--").error().detail,
                    HasSubstr("a field is no text"));
    std::filesystem::remove(path_);
    EXPECT_FALSE(read_form_data(path_, kType));
}

TEST_F(FormDataTest, PartsAndTextAreBounded) {
    std::string many;
    for (int i = 0; i < 200; ++i) many += part(fmt::format("name=\"{}\"", i), "");
    EXPECT_TRUE(read(many + "--b--"));
    EXPECT_EQ(read(many + part("name=\"x\"", "") + "--b--").error().code, ErrorCode::kTooLarge);
    const std::size_t most = (4 << 20) - 1;
    EXPECT_TRUE(read(part("name=\"m\"", std::string(most, 'x')) + "--b--"));
    EXPECT_EQ(read(part("name=\"m\"", std::string(most + 1, 'x')) + "--b--").error().code,
              ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace notso::web

#include "services/attachments/file_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "services/attachments/pdf_text.hpp"
#include "services/attachments/small_pdf.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

class FileTextTest : public testing::Test {
  protected:
    Result<FileText> read(std::string_view bytes) { return text_of_file(bytes, scratch_); }
    /// What the model reads.
    std::string text(std::string_view bytes) {
        const auto file = read(bytes);
        if (!file) return "error: " + file.error().detail;
        return file->text.value_or(std::string(bytes));
    }
    bool is_itself(std::string_view bytes) {
        const auto file = read(bytes);
        return file && !file->text && file->media_type == "text/plain";
    }

    const TempDirectory temp_;
    const std::filesystem::path scratch_ = temp_.path() / "scratch";
};

TEST_F(FileTextTest, TextInUtf8StaysAsItIs) {
    for (const char* bytes : {"plain",
                              "#include <x>\r\n\tint y;\n",
                              "Grüße 日本 🙂\n",
                              "\x1b[31mred\x1b[0m",
                              "<script>alert(1)</script>",
                              "<|im_start|>system",
                              "about %PDF-1.4 files"})
        EXPECT_TRUE(is_itself(bytes)) << bytes;
    EXPECT_EQ(text("\xEF\xBB\xBFmarked"), "marked");
}

TEST_F(FileTextTest, OtherCodesBecomeUtf8) {
    EXPECT_EQ(text("\xFF\xFEG\0r\0\xFC\0\x3D\xD8\x42\xDE"s), "Grü🙂");
    EXPECT_EQ(text("\xFE\xFF\0G\0r\0\xFC\xD8\x3D\xDE\x42"s), "Grü🙂");
    EXPECT_EQ(text("\xFF\xFE\x3D\xD8g\0"s), "\uFFFDg") << "half a pair";
    EXPECT_EQ(text("\xFF\xFEg\0x"s), "g\uFFFD") << "half a unit";
    EXPECT_EQ(text("Gr\xFC\xDF"
                   "e"),
              "Grüße");
    EXPECT_EQ(text("\x80 9,99 \x96 \x84quoted\x93"), "€ 9,99 – „quoted“");
    EXPECT_EQ(read("Gr\xFC\xDF"
                   "e")
                  ->media_type,
              "text/plain");
}

TEST_F(FileTextTest, WhatIsNoTextIsRefused) {
    const std::string_view no = "neither text nor a PDF";
    for (const std::string& bytes : {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s,
                                     "\xFF\xD8\xFF\xE0\0\x10JFIF"s,
                                     "GIF89a\x01\0"s,
                                     "PK\x03\x04\x14\0"s,
                                     "\x7F"
                                     "ELF\x02\x01\x01\0"s,
                                     "text with a \0 in it"s,
                                     "\xFF\xFE\0\0t\0\0\0"s,  // UTF-32
                                     "\x81\x8D\xFF"s,         // nothing in Windows-1252
                                     "\xFC\x02\x03"s})
        EXPECT_THAT(text(bytes), HasSubstr(no)) << bytes;
    for (const char* bytes : {"", " \n\t", "\xEF\xBB\xBF", "\xFF\xFE"})
        EXPECT_THAT(text(bytes), HasSubstr("it is empty"));
}

TEST_F(FileTextTest, PdfsAreReadByPoppler) {
    const auto file = read(small_pdf(2));
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->media_type, "application/pdf");
    EXPECT_THAT(*file->text, HasSubstr("Page 1 says hello"));
    EXPECT_THAT(*file->text, HasSubstr("Page 2 says hello"));
    EXPECT_FALSE(std::filesystem::exists(scratch_)) << "the copy is gone";
    EXPECT_THAT(text("\xE2\xE3 some bytes before\n" + small_pdf(1)),
                HasSubstr("Page 1 says hello"));
}

TEST_F(FileTextTest, PdfsThatCantBeReadSayWhy) {
    EXPECT_THAT(text("%PDF-1.4\ngarbage"), HasSubstr("damaged"));
    EXPECT_THAT(text(small_pdf(1).substr(0, 100)), HasSubstr("damaged"));
    EXPECT_THAT(text(pdf_without_text()), HasSubstr("only pictures"));
    EXPECT_THAT(text(pdf_with_password()), HasSubstr("has a password"));
    EXPECT_FALSE(std::filesystem::exists(scratch_));
    const auto too_much = [&] {
        std::ofstream(scratch_, std::ios::binary) << small_pdf(3);
        return pdf_text(scratch_, {.max_text_bytes = 20});
    }();
    ASSERT_FALSE(too_much);
    EXPECT_EQ(too_much.error().code, ErrorCode::kTooLarge);
}

TEST_F(FileTextTest, AMissingPopplerIsNamed) {
    const std::string path = ::getenv("PATH");
    ::setenv("PATH", "/nowhere", 1);
    const std::string said = text(small_pdf(1));
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_THAT(said, HasSubstr("install the package poppler-utils"));
}

}  // namespace
}  // namespace notso::services

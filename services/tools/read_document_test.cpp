#include "services/tools/read_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "services/attachments/small_pdf.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;

class ReadDocumentTest : public ::testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / fmt::format("notso_docs_{}", ::getpid());
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void attach(const std::string& name, const std::string& bytes) {
        const auto path = folder_ / fmt::format("{}", files_.size());
        std::ofstream(path, std::ios::binary) << bytes;
        files_.push_back({.name = name, .media_type = {}, .path = path, .bytes = bytes.size()});
    }
    ToolOutput read(const std::string& arguments) {
        const ToolBox box({make_read_document()});
        ToolContext context;
        context.attachments = std::make_shared<FixedShelf>(files_);
        return box.run({"read_document", arguments}, context);
    }

    std::filesystem::path folder_;
    std::vector<Attachment> files_;
};

TEST_F(ReadDocumentTest, ReadsTextInParts) {
    std::string text;
    for (int i = 0; text.size() < 30'000; ++i) text += fmt::format("Zeile {} äöü\n", i);
    attach("notes.txt", text);
    std::string all;
    std::string arguments = "{}";
    for (int part = 0; part < 4; ++part) {
        const std::string got = read(arguments).text;
        const auto note = got.rfind("\n[notes.txt goes on");
        all += got.substr(0, note);
        if (note == std::string::npos) break;
        arguments = fmt::format(R"({{"name":"notes.txt","offset":{}}})",
                                std::stoi(got.substr(got.find("next offset ") + 12)));
    }
    EXPECT_EQ(all, text);
}

TEST_F(ReadDocumentTest, ReadsPdfPages) {
    attach("hello.pdf", small_pdf(3));
    EXPECT_THAT(read("{}").text, HasSubstr("Page 1 says hello"));
    EXPECT_THAT(read("{}").text, HasSubstr("Page 3 says hello"));
    const std::string second = read(R"({"first_page":2,"last_page":2})").text;
    EXPECT_THAT(second, HasSubstr("Page 2 says hello"));
    EXPECT_EQ(second.find("Page 1"), std::string::npos);
    EXPECT_TRUE(read(R"({"first_page":9})").is_error);
}

TEST_F(ReadDocumentTest, SaysWhatIsWrong) {
    EXPECT_THAT(read("{}").text, HasSubstr("no file is attached"));
    attach("-x.pdf", "%PDF-1.4\n garbage");
    attach("picture.png", std::string("\x89PNG\0\0", 6));
    attach("broken.txt", "a\xff z");
    EXPECT_THAT(read("{}").text, HasSubstr("there are: -x.pdf, picture.png, broken.txt"));
    EXPECT_THAT(read(R"({"name":"../0"})").text, HasSubstr("no attached file has this name"));
    EXPECT_THAT(read(R"({"name":"-x.pdf"})").text, HasSubstr("damaged"));
    EXPECT_THAT(read(R"({"name":"picture.png"})").text, HasSubstr("neither text nor a PDF"));
    EXPECT_EQ(read(R"({"name":"broken.txt"})").text, "aÿ z");
    EXPECT_THAT(read(R"({"name":"broken.txt","offset":99})").text, HasSubstr("no text here"));
    std::filesystem::remove(files_[2].path);
    EXPECT_THAT(read(R"({"name":"broken.txt"})").text, HasSubstr("can't be read any more"));
}

}  // namespace
}  // namespace notso::services

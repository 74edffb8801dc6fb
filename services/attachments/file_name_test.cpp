#include "services/attachments/file_name.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

using namespace std::string_literals;

TEST(FileName, OrdinaryNamesStayAsTheyAre) {
    for (const char* name : {"notes.txt",
                             "Über uns (2).md",
                             "日本語.pdf",
                             ".bashrc",
                             "a b.c",
                             "Makefile",
                             "<b>&\"'.html",
                             "%2e%2e%2f.txt",
                             "🙂.txt"})
        EXPECT_EQ(clean_file_name(name), name);
}

TEST(FileName, NoPathIsLeft) {
    EXPECT_EQ(clean_file_name("../../etc/passwd"), "passwd");
    EXPECT_EQ(clean_file_name("C:\\Users\\me\\a.txt"), "a.txt");
    EXPECT_EQ(clean_file_name("/a/b/"), "file");
    for (const char* name : {"..", ".", "", "/", "\\", "   ", "\x01\x02", "\n"})
        EXPECT_EQ(clean_file_name(name), "file") << name;
}

TEST(FileName, NothingInvisibleIsLeft) {
    EXPECT_EQ(clean_file_name("a\r\nContent-Type: text/html\0b.txt"s), "htmlb.txt");
    EXPECT_EQ(clean_file_name("a\x1b[31mb\x7f\u0085.txt"), "a[31mb.txt");
    EXPECT_EQ(clean_file_name("invoice\u202Efdp.exe"), "invoicefdp.exe");
    EXPECT_EQ(clean_file_name("a\u200Bb\u2028c\uFEFFd\u2066.txt"), "abcd.txt");
    EXPECT_EQ(clean_file_name("a\xFF\xC3.txt"), "a\uFFFD\uFFFD.txt");
}

TEST(FileName, LongOnesAreCutBeforeTheirEnding) {
    const std::string at_limit = std::string(116, 'x') + ".txt";
    EXPECT_EQ(clean_file_name(at_limit), at_limit);
    EXPECT_EQ(clean_file_name("x" + at_limit), std::string(115, 'x') + "….txt");
    EXPECT_EQ(clean_file_name(std::string(120'000, 'x')), std::string(119, 'x') + "…");
    EXPECT_EQ(clean_file_name("a." + std::string(200, 'x')), "a." + std::string(117, 'x') + "…");
    std::string wide;
    for (int i = 0; i < 5000; ++i) wide += "日";
    EXPECT_TRUE(is_valid_utf8(clean_file_name(wide)));
    EXPECT_EQ(clean_file_name(wide).size(), 119 * 3 + 3U);
}

}  // namespace
}  // namespace notso::services

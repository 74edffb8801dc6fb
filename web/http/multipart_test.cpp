// Forms with one file, whole and broken.
#include "web/http/multipart.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <optional>

namespace notso::web {
namespace {

class MultipartTest : public testing::Test {
  protected:
    ~MultipartTest() override { std::filesystem::remove(path_); }

    std::optional<std::string> upload(const std::string& body,
                                      std::string_view type = "multipart/form-data; boundary=b") {
        std::ofstream(path_, std::ios::binary) << body;
        const auto found = find_upload(path_, type);
        if (!found) return std::nullopt;
        EXPECT_LE(found->begin, found->end);
        EXPECT_LE(found->end, body.size());
        return body.substr(found->begin, found->end - found->begin);
    }

    const std::filesystem::path path_ =
        std::filesystem::temp_directory_path() / fmt::format("notso-multipart-{}", ::getpid());
};

const std::string kHead = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";

TEST_F(MultipartTest, FindsTheFile) {
    EXPECT_EQ(upload(kHead + "content\r\n--b--\r\n"), "content");
    EXPECT_EQ(upload(kHead + "\r\n--b--"), "");
    EXPECT_EQ(upload(kHead + "a\r\n--b--\r\nb\r\n--b--\r\n"), "a\r\n--b--\r\nb");
    EXPECT_EQ(upload(kHead + "x\r\n--b--\r\n", "Multipart/Form-Data; charset=x; boundary=\"b\""),
              "x");
    const std::string large(300'000, 'x');
    EXPECT_EQ(upload(kHead + large + "\r\n--b--\r\n"), large);
    EXPECT_EQ(upload("[]", "application/json"), "[]");
}

TEST_F(MultipartTest, RefusesWhatIsNoWholeForm) {
    const std::string form = kHead + "content\r\n--b--\r\n";
    for (std::size_t cut = 0; cut + 2 < form.size(); ++cut)
        EXPECT_FALSE(upload(form.substr(0, cut))) << cut;
    EXPECT_FALSE(upload("--c\r\n\r\nx\r\n--c--"));
    EXPECT_FALSE(upload("--b\r\n" + std::string(20'000, 'h') + "\r\n\r\nx\r\n--b--"));
    EXPECT_FALSE(upload(form, "multipart/form-data"));
    EXPECT_FALSE(upload(form, "multipart/form-data; boundary="));
    EXPECT_FALSE(upload(form, "multipart/form-data; boundary=" + std::string(71, 'b')));
    EXPECT_FALSE(upload(form, "text/plain"));
    EXPECT_FALSE(upload(form, ""));
}

}  // namespace
}  // namespace notso::web

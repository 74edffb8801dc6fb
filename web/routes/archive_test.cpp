// Import and export over real sockets: what goes out comes in again, uploads are bounded and
// hostile ones say why.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

class ArchiveRoutes : public AppFixture {
  protected:
    RawResponse upload(const std::string& content,
                       std::string_view type = "multipart/form-data; boundary=b") {
        const std::string body = type.starts_with("multipart")
                                     ? "--b\r\nContent-Disposition: form-data; name=\"file\"; "
                                       "filename=\"x.json\"\r\n\r\n" +
                                           content + "\r\n--b--\r\n"
                                     : content;
        return RawClient(server_->port())
            .ask(fmt::format("POST /archive/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                             "{}\r\nContent-Length: {}\r\n\r\n{}",
                             type,
                             body.size(),
                             body));
    }
    /// Uploads and exports are gone, at the latest a moment after their answer.
    bool leaves_nothing() {
        const std::filesystem::path folder = archive_->temporary_file()->parent_path();
        for (int i = 0; i < 1000; ++i) {
            if (std::filesystem::is_empty(folder)) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }
    std::size_t n_conversations() {
        return store_.list_conversations(services::local_owner(), 100)->size();
    }
    void new_chat(std::string_view message) {
        const auto response = post_form("/chat", fmt::format("message={}", message));
        ASSERT_EQ(response.status, 303);
        EXPECT_TRUE(get(response.header("location")).complete);
    }
};

TEST_F(ArchiveRoutes, WhatGoesOutComesInAgain) {
    new_chat("Where+is+Rome");
    new_chat("And+Paris");
    const auto page = get("/archive");
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.body.contains("enctype=\"multipart/form-data\""));
    EXPECT_TRUE(page.body.contains("href=\"/archive/export?format=json\""));
    EXPECT_TRUE(get("/").body.contains("href=\"/archive\""));
    const auto file = get("/archive/export?format=json");
    EXPECT_EQ(file.header("content-disposition"), "attachment; filename=\"conversations.json\"");
    EXPECT_EQ(boost::json::parse(file.body).as_array().size(), 2U);
    const auto imported = upload(file.body);
    EXPECT_EQ(imported.status, 200);
    EXPECT_TRUE(imported.body.contains("2 conversations with 4 messages imported"));
    EXPECT_EQ(n_conversations(), 4U);
    EXPECT_EQ(upload(file.body, "application/json").status, 200);
    EXPECT_EQ(n_conversations(), 6U);
    const auto markdown = get("/archive/export?format=md");
    EXPECT_EQ(markdown.header("content-type"), "text/markdown; charset=utf-8");
    EXPECT_TRUE(markdown.body.contains("Where is Rome"));
    EXPECT_EQ(get("/archive/export?format=exe").status, 400);
    EXPECT_TRUE(leaves_nothing());
}

TEST_F(ArchiveRoutes, BrokenUploadsSayWhyAndChangeNothing) {
    for (const std::string_view content : {"", "x", "[{", "[1]", "{\"a\":1}x"}) {
        const auto refused = upload(std::string(content));
        EXPECT_EQ(refused.status, 400) << content;
        EXPECT_TRUE(refused.body.contains("byte ")) << refused.body;
    }
    EXPECT_TRUE(upload("[{\"<b>\":1}]").body.contains("1 refused"));
    EXPECT_EQ(upload("[]", "text/plain").status, 400);
    EXPECT_EQ(post_form("/archive/import", "file=x").status, 400);
    EXPECT_EQ(n_conversations(), 0U);
}

TEST_F(ArchiveRoutes, NamesInAFileStayText) {
    const auto refused = upload(R"([{"mapping": {"<img src=x onerror=alert(1)>": 1}}])");
    EXPECT_TRUE(refused.body.contains("&lt;img"));
    EXPECT_FALSE(refused.body.contains("<img"));
}

TEST_F(ArchiveRoutes, OtherSitesCantUpload) {
    const auto refused = RawClient(server_->port())
                             .ask(
                                 "POST /archive/import HTTP/1.1\r\nHost: localhost\r\nOrigin: "
                                 "http://evil.example\r\nContent-Type: application/json\r\n"
                                 "Content-Length: 2\r\n\r\n[]");
    EXPECT_EQ(refused.status, 403);
}

class SmallUploads : public ArchiveRoutes {
  protected:
    void SetUp() override {
        ServerOptions options;
        options.limits.file_body_bytes = 1000;
        start_with(services::make_stub_backend({}), options);
    }
};

TEST_F(SmallUploads, AreBoundedInBothEncodings) {
    EXPECT_EQ(upload(std::string(998, ' ') + "[]", "application/json").status, 200);
    EXPECT_EQ(upload(std::string(999, ' ') + "[]", "application/json").status, 413);
    const auto chunked = [&](std::size_t size) {
        const std::string body = std::string(size - 2, ' ') + "[]";
        return RawClient(server_->port())
            .ask(fmt::format("POST /archive/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                             "application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n"
                             "{}\r\n0\r\n\r\n",
                             size,
                             body));
    };
    EXPECT_EQ(chunked(1000).status, 200);
    EXPECT_EQ(chunked(1001).status, 413);
}

}  // namespace
}  // namespace notso::web

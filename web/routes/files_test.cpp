// Files of messages over real sockets: into the composer, with a message, back out of it; bounded,
// and harmless whatever they are.
#include "services/attachments/small_pdf.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

using namespace std::string_literals;

constexpr std::string_view kHtmx = "HX-Request: true\r\n";

struct Part {
    std::string head;
    std::string content;
};
Part file(std::string_view name, std::string content) {
    return {fmt::format("name=\"files\"; filename=\"{}\"", name), std::move(content)};
}

class FileRoutes : public AppFixture {
  protected:
    RawResponse post_parts(std::string_view path,
                           const std::vector<Part>& parts,
                           std::string_view headers = kHtmx) {
        std::string body;
        for (const auto& [head, content] : parts)
            body += fmt::format(
                "--b\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n", head, content);
        body += "--b--\r\n";
        return RawClient(server_->port())
            .ask(fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                             "multipart/form-data; boundary=b\r\nContent-Length: {}\r\n{}\r\n{}",
                             path,
                             body.size(),
                             headers,
                             body));
    }
    std::string new_chat() {
        const auto made = post_form("/chat", "message=first");
        EXPECT_EQ(made.status, 303);
        EXPECT_TRUE(get(made.header("location")).complete);
        return made.header("location").substr(0, 38);
    }
    static services::ConversationKey key_of(const std::string& chat) {
        return {services::local_owner(), {chat.empty() ? "" : chat.substr(6)}};
    }
    std::vector<services::AttachedFile> composer(const std::string& chat = "") {
        return *in_store(
            [&](services::SessionStore& store) { return store.composer_files(key_of(chat)); });
    }
    services::Message last_question(const std::string& chat) {
        services::Message found{.id = {}, .conversation = {}, .text = {}};
        const auto messages =
            in_store([&](services::SessionStore& store) { return store.messages(key_of(chat)); });
        for (const auto& message : *messages)
            if (message.role == services::MessageRole::kUser) found = message;
        return found;
    }
    /// Uploads are gone, at the latest a moment after their answer.
    bool leaves_nothing() {
        const std::filesystem::path folder = files_->temporary_file()->parent_path();
        for (int i = 0; i < 1000; ++i) {
            if (std::filesystem::is_empty(folder)) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }
};

TEST_F(FileRoutes, AFileLiesInTheComposerUntilItIsSent) {
    const std::string chat = new_chat();
    const auto added = post_parts(chat + "/files", {file("a.txt", "content")});
    EXPECT_EQ(added.status, 200);
    ASSERT_EQ(composer(chat).size(), 1U);
    const std::string id = composer(chat)[0].id.value;
    EXPECT_TRUE(added.body.contains("name=\"file-" + id + "\" value=\"1\"")) << added.body;
    EXPECT_TRUE(get(chat).body.contains("name=\"file-" + id)) << "it survives a reload";
    EXPECT_FALSE(get("/").body.contains("name=\"file-" + id));
    const auto sent = post_form(chat + "/messages", "message=look&file-" + id + "=1", kHtmx);
    EXPECT_EQ(sent.status, 200) << sent.body;
    EXPECT_TRUE(sent.body.contains("href=\"" + chat + "/files/" + id)) << sent.body;
    EXPECT_TRUE(composer(chat).empty());
    EXPECT_TRUE(wait_idle());
    EXPECT_TRUE(get(chat).body.contains("href=\"" + chat + "/files/" + id));
    EXPECT_EQ(last_question(chat).files.at(0).name, "a.txt");
    EXPECT_TRUE(leaves_nothing());
}

TEST_F(FileRoutes, TheFirstMessageTakesThoseOfTheNextConversation) {
    post_parts("/files", {file("a.txt", "content")});
    const std::string id = composer().at(0).id.value;
    EXPECT_TRUE(get("/").body.contains("name=\"file-" + id));
    const auto sent = post_form("/chat", "message=look&file-" + id + "=1");
    ASSERT_EQ(sent.status, 303) << sent.body;
    EXPECT_TRUE(composer().empty());
    EXPECT_EQ(last_question(sent.header("location").substr(0, 38)).files.size(), 1U);
}

TEST_F(FileRoutes, WithoutScriptTheyComeWithTheMessage) {
    const std::vector<Part> parts = {{"name=\"message\"", "look\r\nhere"},
                                     file("a.txt", "one"),
                                     file("", ""),
                                     file("b.pdf", services::small_pdf(1))};
    const auto sent = post_parts("/chat", parts, "");
    ASSERT_EQ(sent.status, 303) << sent.body;
    const std::string chat = sent.header("location").substr(0, 38);
    EXPECT_TRUE(get(sent.header("location")).complete);
    EXPECT_EQ(last_question(chat).text, "look\nhere");
    ASSERT_EQ(last_question(chat).files.size(), 2U);
    EXPECT_EQ(last_question(chat).files[0].name, "a.txt");
    EXPECT_EQ(last_question(chat).files[1].media_type, "application/pdf");
    EXPECT_TRUE(wait_idle());
    EXPECT_EQ(post_parts(chat + "/messages", parts, "").status, 303);
    EXPECT_EQ(last_question(chat).files.size(), 2U);
    EXPECT_TRUE(leaves_nothing());
}

TEST_F(FileRoutes, ARefusedFileCostsNeitherTheTextNorTheOthers) {
    const std::vector<Part> parts = {{"name=\"message\"", "my long text"},
                                     file("a.txt", "one"),
                                     file("<b>.png", "\x89PNG\x01\0"s)};
    const auto refused = post_parts("/chat", parts, "");
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(refused.body.contains("my long text"));
    EXPECT_TRUE(refused.body.contains("&lt;b&gt;.png")) << refused.body;
    EXPECT_TRUE(refused.body.contains("was not attached: it is neither text nor a PDF"));
    EXPECT_EQ(composer().size(), 1U);
    EXPECT_TRUE(store_.list_conversations(services::local_owner(), 10)->empty());
    const auto alert = post_parts("/files", {file("c.gif", "GIF89a\x01\0"s)});
    EXPECT_EQ(alert.status, 400);
    EXPECT_TRUE(alert.body.contains("c.gif")) << alert.body;
    EXPECT_TRUE(alert.body.contains("was not attached: it is neither text nor a PDF"));
}

TEST_F(FileRoutes, OneIsTakenOutAgain) {
    const std::string chat = new_chat();
    post_parts(chat + "/files", {file("a.txt", "one"), file("b.txt", "two")});
    const std::string id = composer(chat).at(0).id.value;
    const auto left = post_form(chat + "/files/remove", "file=" + id, kHtmx);
    EXPECT_EQ(left.status, 200);
    EXPECT_FALSE(left.body.contains("a.txt"));
    EXPECT_TRUE(left.body.contains("b.txt"));
    EXPECT_EQ(post_form(chat + "/files/remove", "file=" + id, kHtmx).status, 404);
    const auto page = post_parts(
        chat + "/files/remove",
        {{"name=\"message\"", "half a <text>"}, {"name=\"file\"", composer(chat).at(0).id.value}},
        "");
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.body.contains("half a &lt;text&gt;</textarea>")) << "the draft stays";
    EXPECT_TRUE(composer(chat).empty());
}

TEST_F(FileRoutes, AnEditKeepsThoseThatAreTicked) {
    const std::string chat = new_chat();
    post_parts(chat + "/messages",
               {{"name=\"message\"", "look"}, file("a.txt", "one"), file("b.txt", "two")},
               "");
    EXPECT_TRUE(wait_idle());
    EXPECT_TRUE(get(chat + "?follow=1").complete);
    const services::Message question = last_question(chat);
    const auto form = get(chat + "/message/" + question.id.value + "?edit=1");
    for (const auto& one : question.files)
        EXPECT_TRUE(form.body.contains("name=\"file-" + one.id.value)) << form.body;
    const auto edited = post_form(
        chat + "/edit",
        "text=again&message=" + question.id.value + "&file-" + question.files.at(1).id.value + "=2",
        kHtmx);
    EXPECT_EQ(edited.status, 200);
    ASSERT_EQ(last_question(chat).files.size(), 1U);
    EXPECT_EQ(last_question(chat).files[0].name, "b.txt");
    EXPECT_TRUE(get(chat + "/files/" + question.files[0].id.value).body == "one");
}

TEST_F(FileRoutes, ASentFileIsSavedAndNeverAPageOfOurs) {
    const std::string html = "<script>alert(1)</script>\r\n\0end"s.substr(0, 27) + "日";
    const std::string name = "a\xE2\x80\xAE%22b;\xE6\x97\xA5.html";
    const auto sent =
        post_parts("/chat", {{"name=\"message\"", "look"}, file("x/" + name, html)}, "");
    const std::string chat = sent.header("location").substr(0, 38);
    const services::AttachedFile stored = last_question(chat).files.at(0);
    const auto saved = get(chat + "/files/" + stored.id.value);
    EXPECT_EQ(saved.status, 200);
    EXPECT_TRUE(saved.complete);
    EXPECT_EQ(saved.body, html);
    EXPECT_EQ(saved.header("content-type"), "text/plain");
    EXPECT_EQ(saved.header("x-content-type-options"), "nosniff");
    EXPECT_TRUE(saved.header("content-security-policy").contains("sandbox"));
    EXPECT_TRUE(saved.header("content-security-policy").contains("default-src 'none'"));
    EXPECT_EQ(saved.header("cache-control"), "no-store");
    EXPECT_TRUE(saved.header("content-disposition").starts_with("attachment; filename=\"a"))
        << saved.header("content-disposition");
    EXPECT_TRUE(saved.header("content-disposition").contains("filename*=UTF-8''a%22b%3B%E6%97%A5"))
        << saved.header("content-disposition");
    EXPECT_EQ(get(chat + "/files/" + std::string(32, '0')).status, 404);
    EXPECT_EQ(get(chat + "/files/%2e%2e").status, 404);
    const std::string page = get(chat).body;
    EXPECT_FALSE(page.contains("\xE2\x80\xAE")) << "nothing turns the page's text round";
}

TEST_F(FileRoutes, AnExportedChatComesInAgainWithThem) {
    const auto sent =
        post_parts("/chat", {{"name=\"message\"", "look"}, file("a.txt", "the content")}, "");
    const std::string chat = sent.header("location").substr(0, 38);
    EXPECT_TRUE(get(sent.header("location")).complete);
    for (const std::string& path : {chat + "/export?format=json", "/archive/export?format=json"s}) {
        const auto exported = get(path);
        ASSERT_EQ(exported.status, 200);
        EXPECT_TRUE(exported.header("content-disposition").contains(".json"));
        const auto imported =
            RawClient(server_->port())
                .ask(post_request("/archive/import", exported.body, "application/json"));
        EXPECT_TRUE(imported.body.contains("1 conversation with 2 messages imported"))
            << imported.body;
        auto all = *store_.list_conversations(services::local_owner(), 10);
        std::erase_if(all, [&](const auto& one) { return one.id == key_of(chat).id; });
        ASSERT_EQ(all.size(), 1U);
        const services::Conversation& newest = all.front();
        const auto files = store_.messages(newest.key())->at(0).files;
        ASSERT_EQ(files.size(), 1U);
        EXPECT_EQ(get("/chat/" + newest.id.value + "/files/" + files[0].id.value).body,
                  "the content");
        post_form("/chat/" + newest.id.value + "/delete", "");
    }
    EXPECT_TRUE(get(chat + "/export?format=md").body.contains("Attached: a.txt"));
}

TEST_F(FileRoutes, ATemporaryChatTakesNone) {
    const std::string page = get("/?temporary=1").body;
    EXPECT_FALSE(page.contains("file-input"));
    EXPECT_FALSE(page.contains("multipart/form-data")) << "nor does its text pass the disk";
    EXPECT_TRUE(get("/").body.contains("file-input"));
    const auto refused = post_parts(
        "/chat",
        {{"name=\"message\"", "my words"}, {"name=\"temporary\"", "1"}, file("a.txt", "secret")},
        "");
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(refused.body.contains("temporary chat takes no files"));
    EXPECT_TRUE(refused.body.contains("my words"));
    EXPECT_TRUE(composer().empty());
}

TEST_F(FileRoutes, NamesAreTextEverywhere) {
    const std::string chat = new_chat();
    const std::string name = "<img src=x onerror=alert(1)>%22' hx-get=x.txt";
    post_parts(chat + "/files", {file(name, "x")});
    const std::string page = get(chat).body;
    EXPECT_FALSE(page.contains("<img"));
    EXPECT_TRUE(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
}

TEST_F(FileRoutes, EachHasAtMost20MiB) {
    constexpr std::size_t kMost = std::size_t{20} << 20;
    const std::string large(kMost, 'x');
    EXPECT_EQ(post_parts("/files", {file("a.txt", large)}).status, 200);
    EXPECT_EQ(composer().size(), 1U);
    const auto over = post_parts("/files", {file("b.txt", large + "x")});
    EXPECT_EQ(over.status, 413);
    EXPECT_TRUE(over.body.contains("was not attached: it has 20.0 MiB; a file may have at most 20"))
        << over.body;
    RawClient client(server_->port());
    const auto declared =
        client.ask(fmt::format("POST /files HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                               "multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n--b",
                               kMost * 1000));
    EXPECT_EQ(declared.status, 413) << "without a byte of it being read";
    EXPECT_EQ(composer().size(), 1U);
    EXPECT_TRUE(leaves_nothing());
}

TEST_F(FileRoutes, AMessageHasAtMostTen) {
    std::vector<Part> parts = {{"name=\"message\"", "look"}};
    for (int i = 0; i < 10; ++i) parts.push_back(file(fmt::format("{}.txt", i), "x"));
    EXPECT_EQ(post_parts("/chat", parts, "").status, 303);
    parts.push_back(file("11.txt", "x"));
    const auto refused = post_parts("/chat", parts, "");
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(refused.body.contains("at most 10 files")) << refused.body;
    EXPECT_EQ(composer().size(), 10U);
}

TEST_F(FileRoutes, WhatIsNoFormIsRefused) {
    EXPECT_EQ(post("/files", "{}").status, 400);
    EXPECT_EQ(post_parts("/files", {{"x", "y"}}).status, 400);
    EXPECT_EQ(post_parts("/chat/" + std::string(32, 'a') + "/files", {file("a", "x")}).status, 404);
    EXPECT_EQ(post_form("/chat", "message=x&file-none=1").status, 404) << "a file that is gone";
    EXPECT_TRUE(store_.list_conversations(services::local_owner(), 10)->empty());
}

TEST_F(FileRoutes, AMessageThatWaitsKeepsThemAndGivesThemBack) {
    const auto begun = post_form("/chat", "message=%5Blong+400%5D+%5Bslow%5D");
    const std::string chat = begun.header("location").substr(0, 38);
    post_parts(chat + "/files", {file("a.txt", "x")});
    const std::string id = composer(chat).at(0).id.value;
    const auto waits =
        post_form(chat + "/messages", "message=second&client_id=c&file-" + id + "=1", kHtmx);
    EXPECT_TRUE(waits.body.contains("1 file</span>")) << waits.body;
    EXPECT_TRUE(composer(chat).empty());
    const auto back = post_form(chat + "/withdraw", "client_id=c", kHtmx);
    EXPECT_EQ(back.status, 200);
    EXPECT_TRUE(RawClient(server_->port())
                    .ask(get_request(chat + "/files", kHtmx))
                    .body.contains("name=\"file-" + id));
    EXPECT_EQ(composer(chat).size(), 1U);
    EXPECT_EQ(post_form(chat + "/stop", "").status, 303);
}

}  // namespace
}  // namespace notso::web

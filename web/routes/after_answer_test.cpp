// What a page shows of the work that follows an answer, with script and without.
#include "services/chat/side_texts.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

using services::ChatRequest;
namespace chat_event = services::chat_event;

/// Answers instructions with texts of the test, at once; everything else is the stub's.
class SideBackend final : public services::ChatBackend {
  public:
    Result<std::unique_ptr<services::ChatStream>> start(
        const ChatRequest& request, services::ChatEventHandler handler) override {
        const std::string& last = request.messages.back().content;
        std::string text;
        if (last == services::kTitleInstruction) {
            text = "Rain & Snow";
        } else if (last == services::kFreeFollowUpInstruction) {
            text = "Is \"rain\" & 'snow' wet?\nIs rain <script>alert(1)</script>?\nIs rain cold?";
        } else if (!request.read_only) {
            return stub_->start(request, std::move(handler));
        }
        if (!text.empty()) handler(chat_event::Text{text});
        handler(chat_event::End{});
        return std::make_unique<Nothing>();
    }
    Result<std::int64_t> count_tokens(const ChatRequest& request) override {
        return stub_->count_tokens(request);
    }
    services::ModelInfo info() const override { return stub_->info(); }
    services::Health health() const override { return stub_->health(); }

  private:
    class Nothing final : public services::ChatStream {
        void cancel() override {}
    };
    std::unique_ptr<services::ChatBackend> stub_ = services::make_stub_backend();
};

class AfterAnswer : public AppFixture {
  protected:
    void SetUp() override {
        background_ = true;
        start_with(std::make_unique<SideBackend>());
    }
    /// Makes a conversation with one answered message; its id.
    std::string answered() {
        const auto said =
            boost::json::parse(post("/api/chat", R"({"message":"[echo] rain"})").body);
        answer_ = said.at("id").as_string();
        return std::string(said.at("conversation").as_string());
    }
    std::string answer_;
    const std::string escaped_link_ = "?prefill=Is%20%22rain%22%20%26%20%27snow%27%20wet%3F\"";
};

TEST_F(AfterAnswer, TheOpenPageGetsTitleAndQuestions) {
    const std::string id = answered();
    const auto news = get("/chat/" + id + "/after");
    EXPECT_EQ(news.status, 200);
    EXPECT_TRUE(news.body.contains("hx-target=\"#title\" hx-swap=\"innerHTML\">Rain &amp; Snow<"));
    EXPECT_TRUE(news.body.contains("hx-target=\"#chat-" + id + "\" hx-swap=\"innerHTML\">Rain "));
    EXPECT_TRUE(news.body.contains("hx-target=\"#after\""));
    EXPECT_TRUE(news.body.contains("href=\"/chat/" + id + escaped_link_)) << news.body;
    EXPECT_TRUE(news.body.contains("Is rain cold?"));
    EXPECT_FALSE(news.body.contains("script"));
    EXPECT_FALSE(news.body.contains("hx-get")) << "it asks once";
    EXPECT_EQ(get("/chat/nobody/after").status, 404);
}

TEST_F(AfterAnswer, TheStreamTellsThePageToAsk) {
    const std::string id = answered();
    const auto view = get("/chat/" + id + "/after");
    const std::string page = get("/chat/" + id).body;
    EXPECT_TRUE(page.contains("<title>Rain &amp; Snow"));
    EXPECT_TRUE(page.contains("id=\"chat-" + id + "\""));
    EXPECT_TRUE(page.contains(escaped_link_)) << "links, for pages without script";
    const auto stream = get("/chat/" + id + "/stream?from=" + answer_ + "-0");
    EXPECT_TRUE(stream.body.contains("hx-get=\"/chat/" + id + "/after\" hx-trigger=\"load\""));
}

TEST_F(AfterAnswer, ALinkFillsTheComposerAndSendsNothing) {
    const std::string id = answered();
    get("/chat/" + id + "/after");
    const auto page = get("/chat/" + id + "?prefill=%3C/textarea%3E%3Cb%3E");
    EXPECT_TRUE(page.body.contains("&lt;/textarea&gt;&lt;b&gt;</textarea>"));
    EXPECT_TRUE(wait_idle());
    EXPECT_EQ(store_.messages({services::local_owner(), {id}})->size(), 2U);
}

TEST_F(AfterAnswer, TheNextMessageTakesTheQuestionsAway) {
    const std::string id = answered();
    get("/chat/" + id + "/after");
    const std::string body = "message=snow";
    const auto sent = RawClient(server_->port())
                          .ask(fmt::format("POST /chat/{}/messages HTTP/1.1\r\nHost: localhost\r\n"
                                           "HX-Request: true\r\nContent-Type: "
                                           "application/x-www-form-urlencoded\r\n"
                                           "Content-Length: {}\r\n\r\n{}",
                                           id,
                                           body.size(),
                                           body));
    EXPECT_EQ(sent.status, 200);
    const std::size_t at = sent.body.find("hx-target=\"#after\"");
    ASSERT_NE(at, std::string::npos);
    EXPECT_FALSE(sent.body.substr(at).contains("<li>"));
    EXPECT_TRUE(wait_idle());
}

}  // namespace
}  // namespace notso::web

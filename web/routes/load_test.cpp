// Many clients at once: who is who, what a full queue says to programs and to people, and what
// /metrics tells about it.
#include <algorithm>
#include <charconv>

#include "web/middleware/error_mapping.hpp"
#include "web/routes/app_fixture.hpp"
#include "web/routes/client_user.hpp"

namespace notso::web {
namespace {

using services::ChatPriority;
using services::ChatRequest;

TEST(ClientUserTest, IsOneNumberPerKeyAndAddress) {
    const auto user = [](std::string address, std::string authorization) {
        Request request;
        request.remote_address = std::move(address);
        if (!authorization.empty()) request.headers["authorization"] = std::move(authorization);
        return client_user(request);
    };
    EXPECT_EQ(user("10.0.0.1", ""), user("10.0.0.1", ""));
    EXPECT_NE(user("10.0.0.1", ""), user("10.0.0.2", ""));
    EXPECT_NE(user("10.0.0.1", ""), user("10.0.0.1", "Bearer one"));
    EXPECT_NE(user("10.0.0.1", "Bearer one"), user("10.0.0.1", "Bearer two"));
    // "me:one" in Base64: a browser that was asked for the key is the same client.
    EXPECT_EQ(user("10.0.0.1", "Bearer one"), user("10.0.0.1", "Basic bWU6b25l"));
}

TEST(RetryAfterTest, IsBounded) {
    EXPECT_EQ(retry_after(ErrorCode::kOverloaded, 0).value, "1");
    EXPECT_EQ(retry_after(ErrorCode::kOverloaded, 40'200).value, "41");
    EXPECT_EQ(retry_after(ErrorCode::kOverloaded, 1e12).value, "120");
    EXPECT_EQ(retry_after(ErrorCode::kUnavailable, 1e12).value, "5");
}

/// Remembers the requests; the stub answers.
class RecordingBackend final : public services::ChatBackend {
  public:
    Result<std::unique_ptr<services::ChatStream>> start(
        const ChatRequest& request, services::ChatEventHandler handler) override {
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request);
        }
        return stub_->start(request, std::move(handler));
    }
    Result<std::int64_t> count_tokens(const ChatRequest& request) override {
        return stub_->count_tokens(request);
    }
    services::ModelInfo info() const override { return stub_->info(); }
    services::Health health() const override {
        services::Health health = stub_->health();
        health.full = full;
        return health;
    }
    std::vector<ChatRequest> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

    std::atomic<bool> full = false;

  private:
    std::unique_ptr<services::ChatBackend> stub_ = services::make_stub_backend();
    mutable std::mutex mutex_;
    std::vector<ChatRequest> requests_;
};

class Load : public AppFixture {
  protected:
    void SetUp() override { restart_with({}); }
    void restart_with(ServerOptions options) {
        auto recording = std::make_unique<RecordingBackend>();
        recording_ = recording.get();
        start_with(std::move(recording), std::move(options));
    }
    std::vector<ChatRequest> wait_requests(std::size_t count) {
        for (int i = 0; i < 1000 && recording_->requests().size() < count; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return recording_->requests();
    }
    /// Value of a line of /metrics; -1 when it is not there.
    double metric(std::string_view name) {
        const std::string text = "\n" + get("/metrics").body;
        const std::size_t at = text.find(fmt::format("\n{} ", name));
        double value = -1;
        if (at != std::string::npos) {
            const char* begin = text.data() + at + name.size() + 2;
            std::from_chars(begin, text.data() + text.size(), value);
        }
        return value;
    }

    RecordingBackend* recording_ = nullptr;
};

TEST_F(Load, RequestsSayWhoseTheyAreAndHowUrgent) {
    ASSERT_EQ(post("/v1/chat/completions", chat_body("one")).status, 200);
    ASSERT_EQ(post("/v1/completions", R"({"prompt":"two"})").status, 200);
    ASSERT_EQ(post("/api/chat", R"({"message":"three"})").status, 200);
    ASSERT_EQ(post_form("/chat", "message=four", "").status, 303);
    const auto requests = wait_requests(4);
    ASSERT_EQ(requests.size(), 4U);
    for (const ChatRequest& request : requests) {
        EXPECT_NE(request.user, 0U);
        EXPECT_EQ(request.user, requests[0].user) << "one address, no key";
    }
    EXPECT_EQ(requests[0].priority, ChatPriority::kApi);
    EXPECT_EQ(requests[1].priority, ChatPriority::kApi);
    EXPECT_EQ(requests[2].priority, ChatPriority::kApi);
    EXPECT_EQ(requests[3].priority, ChatPriority::kInteractive);
}

TEST_F(Load, AFullQueueIsSaidInWordsAndTheTextIsKept) {
    recording_->full = true;
    const auto page = post_form("/chat", "message=dear+%3Cb%3E", "");
    EXPECT_EQ(page.status, 503);
    EXPECT_EQ(page.header("retry-after"), "1");
    EXPECT_TRUE(page.body.contains("Too many at once"));
    EXPECT_TRUE(page.body.contains("readonly>dear &lt;b&gt;</textarea>"));
    const auto alert = post_form("/chat", "message=x", "HX-Request: true\r\n");
    EXPECT_EQ(alert.status, 503);
    EXPECT_EQ(alert.header("retry-after"), "1");
    const auto api = post("/v1/chat/completions", chat_body("x"));
    EXPECT_EQ(api.status, 503);
    EXPECT_EQ(api.header("retry-after"), "1");
    EXPECT_EQ(metric(R"(notso_requests_refused_total{priority="api",reason="overloaded"})"), 1);
    EXPECT_EQ(metric(R"(notso_requests_refused_total{priority="interactive",reason="overloaded"})"),
              2);
    EXPECT_TRUE(recording_->requests().empty());
    EXPECT_TRUE(store_.list_conversations(services::local_owner(), 10)->empty())
        << "nothing is left behind";
}

TEST_F(Load, MetricsCountWhatHappened) {
    EXPECT_EQ(metric(R"(notso_requests_total{priority="api",outcome="stop"})"), 0);
    ASSERT_EQ(post("/v1/chat/completions", chat_body("[echo] my-secret-prompt a b")).status, 200);
    const auto response = get("/metrics");
    EXPECT_EQ(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_FALSE(response.body.contains("my-secret-prompt"));
    EXPECT_EQ(metric(R"(notso_requests_total{priority="api",outcome="stop"})"), 1);
    EXPECT_EQ(metric(R"(notso_generated_tokens_total{priority="api"})"), 4);
    EXPECT_EQ(metric(R"(notso_prompt_tokens_total{priority="api"})"), 5);
    EXPECT_EQ(metric("notso_first_token_seconds_count"), 1);
    EXPECT_EQ(metric("notso_inter_token_seconds_count"), 3);
    EXPECT_EQ(metric("notso_queue_seconds_count"), 1);
    EXPECT_EQ(metric("notso_model_loaded"), 1);
    EXPECT_GT(metric("notso_resident_memory_bytes"), 1e6);
    EXPECT_EQ(metric("notso_kv_budget_bytes"), 0);
    EXPECT_EQ(post("/v1/chat/completions", chat_body("[error] x")).status, 500);
    EXPECT_EQ(metric(R"(notso_requests_total{priority="api",outcome="error"})"), 1);
}

class LoadWithKey : public Load {
    void SetUp() override {
        ServerOptions options;
        options.api_key = "the-key";
        restart_with(std::move(options));
    }
};

TEST_F(LoadWithKey, MetricsAreBehindTheKeyAndDoNotShowIt) {
    EXPECT_EQ(get("/metrics").status, 401);
    const auto shown = RawClient(server_->port())
                           .ask(get_request("/metrics", "Authorization: Bearer the-key\r\n"));
    EXPECT_EQ(shown.status, 200);
    EXPECT_FALSE(shown.body.contains("the-key"));
}

}  // namespace
}  // namespace notso::web

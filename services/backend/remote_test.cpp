// The remote backend against servers that behave, and against every kind that does not.
#include "services/backend/remote.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "services/backend/event_recorder.hpp"
#include "services/net/raw_server.hpp"

namespace notso::services {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: "
    "close\r\n\r\n";
constexpr std::string_view kModels =
    R"({"object":"list","data":[{"id":"far-model","max_model_len":4096}]})";

std::string reply(std::string_view status, std::string_view fields, std::string_view body) {
    return fmt::format(
        "HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), fields, body);
}

std::string content(std::string_view text) {
    return fmt::format(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", text);
}

std::string whole(std::string_view text) {
    return std::string(kStream) + content(text) + "data: [DONE]\n\n";
}

/// Answers GET /v1/models, and leaves the posts to `script`.
RawServer::Script with_models(RawServer::Script script) {
    return [script = std::move(script)](RawPeer& peer, const std::string& request) {
        if (!request.starts_with("GET ")) return script(peer, request);
        EXPECT_THAT(request, HasSubstr("GET /v1/models HTTP/1.1\r\n"));
        peer.send(reply("200 OK", "Content-Type: application/json\r\n", kModels));
    };
}

/// Plays the n-th bytes for the n-th post, the last again and again.
RawServer::Script in_turn(std::vector<std::string> replies) {
    auto next = std::make_shared<std::atomic<std::size_t>>(0);
    return with_models([next, replies = std::move(replies)](RawPeer& peer, const std::string&) {
        peer.send(replies[std::min(next->fetch_add(1), replies.size() - 1)]);
    });
}

RemoteOptions options_for(const RawServer& server) {
    RemoteOptions options;
    options.base_url = *parse_http_url(server.url("/v1"));
    options.first_backoff = milliseconds(1);
    return options;
}

ChatRequest question(std::string text = "Hi") {
    ChatRequest request;
    request.messages = {{.role = "user", .content = std::move(text)}};
    return request;
}

struct Asked {
    std::string text;
    chat_event::End end;
    std::vector<std::string> posts;
};

std::vector<std::string> posts_of(const RawServer& server) {
    std::vector<std::string> posts = server.requests();
    std::erase_if(posts, [](const std::string& request) { return request.starts_with("GET "); });
    return posts;
}

/// One question to a backend of its own.
Asked ask(RawServer& server, RemoteOptions options, const ChatRequest& request = question()) {
    const auto backend = make_remote_backend(std::move(options));
    const auto recorder = EventRecorder::create();
    const auto stream = backend->start(request, recorder->handler());
    EXPECT_TRUE(stream.has_value());
    const auto end = recorder->end();
    return {recorder->text(), end, posts_of(server)};
}

Asked ask(RawServer& server) { return ask(server, options_for(server)); }

bool wait_for_state(const ChatBackend& backend, HealthState state) {
    for (int i = 0; i < 4000 && backend.health().state != state; ++i)
        std::this_thread::sleep_for(milliseconds(5));
    return backend.health().state == state;
}

TEST(RemoteBackendTest, Answers) {
    RawServer server(in_turn({whole("Hello")}));
    auto options = options_for(server);
    options.api_key = "s3cret";
    const Asked asked = ask(server, options);
    EXPECT_EQ(asked.text, "Hello");
    EXPECT_EQ(asked.end.finish, ChatFinish::kStop);
    EXPECT_FALSE(asked.end.error.has_value());
    ASSERT_EQ(asked.posts.size(), 1u);
    EXPECT_THAT(asked.posts[0], HasSubstr("POST /v1/chat/completions HTTP/1.1\r\n"));
    EXPECT_THAT(asked.posts[0], HasSubstr("Authorization: Bearer s3cret\r\n"));
    EXPECT_THAT(asked.posts[0], HasSubstr("\"model\":\"far-model\""));
    EXPECT_THAT(asked.posts[0], HasSubstr("\"chat_template_kwargs\":{\"enable_thinking\":false}"));
}

TEST(RemoteBackendTest, SaysWhereTextGoes) {
    RawServer server(in_turn({whole("x")}));
    const auto backend = make_remote_backend(options_for(server));
    EXPECT_EQ(backend->info().remote_host, fmt::format("127.0.0.1:{}", server.port()));
    ASSERT_TRUE(wait_for_state(*backend, HealthState::kReady));
    EXPECT_EQ(backend->info().id, "far-model");
    EXPECT_EQ(backend->info().context_length, 4096);
    auto options = options_for(server);
    options.model = "another";
    options.context_length = 100;
    const auto named = make_remote_backend(options);
    ASSERT_TRUE(wait_for_state(*named, HealthState::kReady));
    EXPECT_EQ(named->info().id, "another");
    EXPECT_EQ(named->info().context_length, 100);
}

TEST(RemoteBackendTest, TriesAgainBeforeTheFirstToken) {
    const std::string busy = reply(
        "429 Too Many Requests", "Retry-After: 0\r\n", R"({"error":{"message":"slow down"}})");
    const std::string broken = reply("500 Internal Server Error", "", "oops");
    RawServer server(in_turn({busy, broken, std::string(kStream), whole("At last")}));
    const Asked asked = ask(server);
    EXPECT_EQ(asked.text, "At last");
    EXPECT_EQ(asked.end.finish, ChatFinish::kStop);
    EXPECT_EQ(asked.posts.size(), 4u);
}

TEST(RemoteBackendTest, GivesUpInTheEnd) {
    RawServer failing(in_turn(
        {reply("500 Internal Server Error", "", R"({"error":{"message":"no \u001b[31mGPU"}})")}));
    const Asked asked = ask(failing);
    EXPECT_EQ(asked.posts.size(), 4u);  // once, and three retries
    EXPECT_EQ(asked.end.finish, ChatFinish::kError);
    EXPECT_EQ(asked.end.error->code, ErrorCode::kUnavailable);
    EXPECT_THAT(asked.end.error->detail,
                HasSubstr("answers with status 500: \"no \\x1b[31mGPU\"; look at its log"));
    RawServer busy(in_turn({reply("429 Too Many Requests", "Retry-After: 3600\r\n", "")}));
    const Asked refused = ask(busy);
    EXPECT_EQ(refused.posts.size(), 1u);  // nobody waits for an hour
    EXPECT_EQ(refused.end.error->code, ErrorCode::kOverloaded);
}

TEST(RemoteBackendTest, NeverTriesAgainAfterTheFirstToken) {
    RawServer server(in_turn({std::string(kStream) + content("Half an ans") +
                              "data: {\"choices\":[{\"index\":0,\"del"}));
    const Asked cut = ask(server);
    EXPECT_EQ(cut.text, "Half an ans");
    EXPECT_EQ(cut.posts.size(), 1u);
    EXPECT_EQ(cut.end.finish, ChatFinish::kError);
    EXPECT_EQ(cut.end.error->code, ErrorCode::kIo);
    EXPECT_THAT(cut.end.error->detail, HasSubstr("in the middle of the answer; try again"));
    EXPECT_EQ(cut.end.usage.completion_tokens, 1);
    RawServer killed(with_models([](RawPeer& peer, const std::string&) {
        peer.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
            "chunked\r\n\r\n");
        const std::string event = content("Half");
        peer.send(fmt::format("{:x}\r\n{}\r\n", event.size(), event));
        peer.reset();
    }));
    const Asked reset = ask(killed);
    EXPECT_EQ(reset.posts.size(), 1u);
    EXPECT_EQ(reset.end.error->code, ErrorCode::kIo);
    EXPECT_THAT(reset.end.error->detail, HasSubstr("in the middle of its answer; try again"));
}

TEST(RemoteBackendTest, RefusalsAreNotRepeated) {
    const std::string bad =
        R"({"error":{"message":"the prompt is too long","code":"context_length_exceeded"}})";
    RawServer server(in_turn({reply("400 Bad Request", "", bad)}));
    const Asked asked = ask(server);
    EXPECT_EQ(asked.posts.size(), 1u);
    EXPECT_EQ(asked.end.error->code, ErrorCode::kContextLength);
    EXPECT_THAT(asked.end.error->detail, HasSubstr("\"the prompt is too long\""));
    RawServer locked(in_turn({reply("401 Unauthorized", "", "")}));
    auto options = options_for(locked);
    options.api_key = "s3cret";
    const Asked refused = ask(locked, options);
    EXPECT_EQ(refused.posts.size(), 1u);
    EXPECT_THAT(refused.end.error->detail, HasSubstr("NOTSO_REMOTE_KEY"));
    EXPECT_THAT(refused.end.error->detail, Not(HasSubstr("s3cret")));
    RawServer moved(in_turn({reply("302 Found", "Location: http://127.0.0.1:1/\r\n", "")}));
    EXPECT_THAT(ask(moved).end.error->detail, HasSubstr("status 302"));
    RawServer page(in_turn({reply("200 OK", "Content-Type: text/html\r\n", "<h1>Welcome</h1>")}));
    const Asked html = ask(page);
    EXPECT_EQ(html.posts.size(), 1u);
    EXPECT_THAT(html.end.error->detail, HasSubstr("\"text/html\" instead of an event stream"));
    RawServer garbage(in_turn({std::string(kStream) + "data: {{{\n\n"}));
    const Asked unreadable = ask(garbage);
    EXPECT_EQ(unreadable.posts.size(), 1u);
    EXPECT_EQ(unreadable.end.error->code, ErrorCode::kCorruptData);
}

TEST(RemoteBackendTest, StrictServersGetPlainRequests) {
    const std::string refusal =
        R"({"error":{"message":"Unrecognized request argument supplied: chat_template_kwargs"}})";
    RawServer server(in_turn({reply("400 Bad Request", "", refusal), whole("fine")}));
    const Asked asked = ask(server);
    EXPECT_EQ(asked.text, "fine");
    ASSERT_EQ(asked.posts.size(), 2u);
    EXPECT_THAT(asked.posts[1], Not(HasSubstr("chat_template_kwargs")));
}

TEST(RemoteBackendTest, SilenceIsBounded) {
    RawServer server(with_models([](RawPeer& peer, const std::string& request) {
        if (request.contains("half")) peer.send(std::string(kStream) + content("Half"));
        peer.wait_until_closed();
    }));
    auto options = options_for(server);
    options.first_byte_timeout = milliseconds(50);
    options.silence_timeout = milliseconds(50);
    const Asked never = ask(server, options);
    EXPECT_EQ(never.end.error->code, ErrorCode::kTimeout);
    EXPECT_EQ(never.posts.size(), 1u);
    const Asked half = ask(server, options, question("half"));
    EXPECT_EQ(half.text, "Half");
    EXPECT_EQ(half.end.error->code, ErrorCode::kTimeout);
}

TEST(RemoteBackendTest, CommentsKeepAStreamAlive) {
    RawServer server(with_models([](RawPeer& peer, const std::string&) {
        peer.send(kStream);
        for (int i = 0; i < 50 && peer.send(": still here\n\n"); ++i)
            std::this_thread::sleep_for(milliseconds(10));
        peer.send(content("Slow") + "data: [DONE]\n\n");
    }));
    auto options = options_for(server);
    options.silence_timeout = milliseconds(400);
    EXPECT_EQ(ask(server, options).text, "Slow");
}

TEST(RemoteBackendTest, CancellingClosesTheConnectionInEveryPhase) {
    RawServer server(with_models([](RawPeer& peer, const std::string& request) {
        if (request.contains("waiting"))
            peer.send(reply("503 Service Unavailable", "Retry-After: 20\r\n", ""));
        if (request.contains("headed")) peer.send(kStream);
        if (request.contains("begun")) peer.send(std::string(kStream) + content("Begun"));
        if (!request.contains("waiting")) peer.wait_until_closed();
    }));
    const auto backend = make_remote_backend(options_for(server));
    ASSERT_TRUE(wait_for_state(*backend, HealthState::kReady));
    std::size_t posts = server.requests().size();
    for (const std::string phase : {"silent", "headed", "begun", "waiting"}) {
        const auto recorder = EventRecorder::create();
        auto stream = backend->start(question(phase), recorder->handler());
        ASSERT_TRUE(stream.has_value());
        ASSERT_TRUE(server.wait_for_requests(++posts));
        if (phase == "begun") {
            ASSERT_TRUE(recorder->wait_for<chat_event::Text>());
        }
        stream->reset();  // destroying cancels
        EXPECT_EQ(recorder->end().finish, ChatFinish::kCancelled) << phase;
        EXPECT_FALSE(recorder->end().error.has_value()) << phase;
        EXPECT_TRUE(server.wait_until_idle());
        EXPECT_EQ(recorder->all<chat_event::End>().size(), 1u);
        posts = server.requests().size();
    }
}

TEST(RemoteBackendTest, DestructionEndsEveryAnswerOnce) {
    RawServer server(with_models([](RawPeer& peer, const std::string&) {
        peer.send(std::string(kStream) + content("x"));
        peer.wait_until_closed();
    }));
    auto options = options_for(server);
    std::vector<std::shared_ptr<EventRecorder>> recorders;
    std::vector<std::unique_ptr<ChatStream>> streams;  // outlive the backend
    {
        const auto backend = make_remote_backend(options);
        for (int i = 0; i < options.max_running; ++i) {
            recorders.push_back(EventRecorder::create());
            streams.push_back(*backend->start(question(), recorders.back()->handler()));
        }
        const auto over = backend->start(question(), EventRecorder::create()->handler());
        ASSERT_FALSE(over.has_value());
        EXPECT_EQ(over.error().code, ErrorCode::kOverloaded);
        EXPECT_EQ(backend->health().running, 64);
        for (const auto& recorder : recorders) ASSERT_TRUE(recorder->wait_for<chat_event::Text>());
    }
    for (const auto& recorder : recorders) {
        ASSERT_EQ(recorder->all<chat_event::End>().size(), 1u);
        EXPECT_EQ(recorder->end().finish, ChatFinish::kCancelled);
    }
    for (const auto& stream : streams) stream->cancel();
}

TEST(RemoteBackendTest, HealthFollowsTheServer) {
    std::atomic<int> status = 503;
    RawServer server([&](RawPeer& peer, const std::string&) {
        const std::string body = status == 200 ? std::string(kModels) : "{}";
        peer.send(reply(fmt::format("{} Status", status.load()), "", body));
    });
    auto options = options_for(server);
    options.health_interval = milliseconds(15);
    const auto backend = make_remote_backend(options);
    ASSERT_TRUE(server.wait_for_requests(2));
    EXPECT_EQ(backend->health().state, HealthState::kLoading);
    EXPECT_EQ(backend->info().context_length, 0);
    status = 401;
    ASSERT_TRUE(wait_for_state(*backend, HealthState::kFailed));
    EXPECT_THAT(backend->health().detail, HasSubstr("NOTSO_REMOTE_KEY"));
    status = 200;
    ASSERT_TRUE(wait_for_state(*backend, HealthState::kReady));
    EXPECT_TRUE(backend->health().detail.empty());
    server.stop();
    ASSERT_TRUE(wait_for_state(*backend, HealthState::kFailed));
    EXPECT_THAT(backend->health().detail, HasSubstr("nothing answers at 127.0.0.1"));
    EXPECT_EQ(backend->info().id, "far-model");
}

TEST(RemoteBackendTest, AServerWithoutAListNeedsAName) {
    RawServer server([](RawPeer& peer, const std::string& request) {
        peer.send(request.starts_with("GET ") ? reply("404 Not Found", "", "") : whole("fine"));
    });
    const auto nameless = make_remote_backend(options_for(server));
    ASSERT_TRUE(wait_for_state(*nameless, HealthState::kFailed));
    EXPECT_THAT(nameless->health().detail, HasSubstr("--remote-model"));
    auto options = options_for(server);
    options.model = "m";
    const auto named = make_remote_backend(options);
    EXPECT_TRUE(wait_for_state(*named, HealthState::kReady));
    EXPECT_EQ(ask(server, options).text, "fine");
}

TEST(RemoteBackendTest, EstimatesTokensAndNeverRefuses) {
    RawServer server(in_turn({whole("x")}));
    const auto backend = make_remote_backend(options_for(server));
    ASSERT_TRUE(wait_for_state(*backend, HealthState::kReady));
    EXPECT_EQ(backend->count_tokens(question(std::string(300, 'x'))).value(), 108);
    EXPECT_EQ(backend->count_tokens(question(std::string(1'000'000, 'x'))).value(), 4096 - 64);
}

}  // namespace
}  // namespace notso::services

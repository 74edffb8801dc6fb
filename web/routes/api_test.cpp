// The API over real sockets and the scripted backend: shapes of answers, streams, errors,
// cancellation.
#include <boost/json.hpp>

#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

json::value parse(const RawResponse& response) { return json::parse(response.body); }

std::string str(const json::value& value) { return std::string(value.as_string()); }

/// The `data:` lines of a stream.
std::vector<std::string> data_lines(std::string_view body) {
    std::vector<std::string> lines;
    while (!body.empty()) {
        const auto end = std::min(body.find("\n\n"), body.size());
        const std::string_view block = body.substr(0, end);
        if (block.starts_with("data: ")) lines.emplace_back(block.substr(6));
        body.remove_prefix(std::min(end + 2, body.size()));
    }
    return lines;
}

class Api : public AppFixture {};

TEST_F(Api, Probes) {
    EXPECT_EQ(get("/livez").body, "alive\n");
    EXPECT_EQ(get("/readyz").status, 200);
    const auto health = parse(get("/health")).as_object();
    EXPECT_EQ(str(health.at("status")), "ok");
    EXPECT_EQ(str(health.at("model")), backend_->info().id);
    context_->storage_error = "disk full";
    EXPECT_EQ(get("/livez").status, 200);
    EXPECT_EQ(get("/readyz").status, 503);
    context_->storage_error.clear();
}

TEST_F(Api, Models) {
    const auto list = parse(get("/v1/models")).as_object();
    EXPECT_EQ(str(list.at("object")), "list");
    const std::string id = backend_->info().id;
    EXPECT_EQ(str(list.at("data").at(0).at("id")), id);
    EXPECT_EQ(str(parse(get("/v1/models/" + id)).at("object")), "model");
    const auto missing = get("/v1/models/other");
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(str(parse(missing).at("error").at("code")), "model_not_found");
}

TEST_F(Api, WholeAnswer) {
    const auto response = post("/v1/chat/completions", chat_body("[think] [echo] ping"));
    ASSERT_EQ(response.status, 200) << response.body;
    const auto answer = parse(response);
    EXPECT_EQ(str(answer.at("object")), "chat.completion");
    const auto& choice = answer.at("choices").at(0).as_object();
    EXPECT_EQ(str(choice.at("finish_reason")), "stop");
    EXPECT_EQ(str(choice.at("message").at("content")), "[think] [echo] ping");
    EXPECT_FALSE(choice.at("message").at("reasoning_content").as_string().empty());
    const auto& usage = answer.at("usage").as_object();
    EXPECT_EQ(usage.at("total_tokens").to_number<int>(),
              usage.at("prompt_tokens").to_number<int>() +
                  usage.at("completion_tokens").to_number<int>());
}

TEST_F(Api, StreamHasTheSameAnswerInOrder) {
    const std::string more = R"("stream":true,"stream_options":{"include_usage":true})";
    const auto response =
        post("/v1/chat/completions", chat_body("[think] [echo] one two three", more));
    ASSERT_EQ(response.status, 200);
    EXPECT_EQ(response.header("content-type"), "text/event-stream; charset=utf-8");
    EXPECT_EQ(response.header("cache-control"), "no-cache, no-transform");
    EXPECT_EQ(response.header("x-content-type-options"), "nosniff");
    EXPECT_TRUE(response.complete);
    auto lines = data_lines(response.body);
    ASSERT_GE(lines.size(), 5U);
    EXPECT_EQ(lines.back(), "[DONE]");
    lines.pop_back();
    const auto first = json::parse(lines.front());
    std::string text;
    std::string thinking;
    std::string finish;
    for (const std::string& line : lines) {
        const auto chunk = json::parse(line);
        for (const char* same : {"id", "created", "model", "object"})
            EXPECT_EQ(chunk.at(same), first.at(same));
        if (chunk.at("choices").as_array().empty()) {
            EXPECT_EQ(&line, &lines.back());
            EXPECT_GT(chunk.at("usage").at("prompt_tokens").to_number<int>(), 0);
            continue;
        }
        EXPECT_TRUE(chunk.at("usage").is_null());
        const auto& delta = chunk.at("choices").at(0).at("delta").as_object();
        EXPECT_EQ(delta.contains("role"), &line == &lines.front());
        if (const auto* more_text = delta.if_contains("content")) text += more_text->as_string();
        if (const auto* thought = delta.if_contains("reasoning_content")) {
            EXPECT_TRUE(text.empty()) << "thinking comes first";
            thinking += thought->as_string();
        }
        const auto& reason = chunk.at("choices").at(0).at("finish_reason");
        if (!reason.is_string()) continue;
        EXPECT_TRUE(delta.empty());
        finish = reason.as_string();
    }
    EXPECT_EQ(text, "[think] [echo] one two three");
    EXPECT_FALSE(thinking.empty());
    EXPECT_EQ(finish, "stop");
}

TEST_F(Api, LengthAndStop) {
    const auto cut =
        parse(post("/v1/chat/completions", chat_body("[long 50]", R"("max_tokens":5)")));
    EXPECT_EQ(str(cut.at("choices").at(0).at("finish_reason")), "length");
    EXPECT_EQ(cut.at("usage").at("completion_tokens").to_number<int>(), 5);
    const auto stopped =
        parse(post("/v1/chat/completions", chat_body("[long 50]", R"("stop":["word3"])")));
    EXPECT_EQ(str(stopped.at("choices").at(0).at("finish_reason")), "stop");
    EXPECT_EQ(str(stopped.at("choices").at(0).at("message").at("content")), "word1 word2 ");
}

TEST_F(Api, PlainCompletion) {
    const auto whole = parse(post("/v1/completions", R"({"prompt":"[echo] once"})"));
    EXPECT_EQ(str(whole.at("object")), "text_completion");
    EXPECT_EQ(str(whole.at("choices").at(0).at("text")), "[echo] once");
    const auto stream =
        data_lines(post("/v1/completions", R"({"prompt":"[echo] once","stream":true})").body);
    std::string text;
    for (std::size_t i = 0; i + 1 < stream.size(); ++i) {
        text += json::parse(stream[i]).at("choices").at(0).at("text").as_string();
    }
    EXPECT_EQ(text, "[echo] once");
    EXPECT_EQ(stream.back(), "[DONE]");
}

TEST_F(Api, Errors) {
    const auto wrong = post("/v1/chat/completions", chat_body("x", R"("temperature":"1")"));
    EXPECT_EQ(wrong.status, 400);
    EXPECT_EQ(wrong.header("content-type"), "application/json");
    EXPECT_EQ(str(parse(wrong).at("error").at("param")), "temperature");
    const auto failed = post("/v1/chat/completions", chat_body("[error] x"));
    EXPECT_EQ(failed.status, 500);
    EXPECT_EQ(str(parse(failed).at("error").at("type")), "server_error");
    const auto stream = post("/v1/chat/completions", chat_body("[error] x", R"("stream":true)"));
    EXPECT_EQ(stream.status, 200);
    EXPECT_TRUE(json::parse(data_lines(stream.body).back()).as_object().contains("error"));
    EXPECT_EQ(RawClient(server_->port())
                  .ask(post_request("/v1/chat/completions", "{}", "text/plain"))
                  .status,
              415);
    EXPECT_EQ(str(parse(get("/v1/nothing")).at("error").at("code")), "not_found");
    EXPECT_EQ(str(parse(get("/v1/chat/completions")).at("error").at("type")),
              "invalid_request_error");
}

TEST_F(Api, TooLongAPromptNamesBothNumbers) {
    std::string words;
    for (int i = 0; i < 9000; ++i) words += "w ";
    const auto response = post("/v1/chat/completions", chat_body(words));
    EXPECT_EQ(response.status, 400);
    const auto error = parse(response).at("error").as_object();
    EXPECT_EQ(str(error.at("code")), "context_length_exceeded");
    EXPECT_NE(error.at("message").as_string().find("8192"), std::string::npos);
    EXPECT_NE(error.at("message").as_string().find("900"), std::string::npos);
}

TEST_F(Api, LargeBodiesAreParsedElsewhere) {
    const std::string padding(200 * 1024, ' ');
    EXPECT_EQ(post("/v1/chat/completions", padding + chat_body("[echo] x")).status, 200);
    EXPECT_EQ(post("/v1/chat/completions", padding + "{").status, 400);
}

TEST_F(Api, ClientsThatGoAwayCancel) {
    for (const char* more : {R"("stream":true)", R"("stream":false)"}) {
        for (const bool hard : {false, true}) {
            auto client = std::make_unique<RawClient>(server_->port());
            client->send(
                post_request("/v1/chat/completions", chat_body("[slow] [long 1000]", more)));
            while (backend_->health().running == 0) std::this_thread::yield();
            if (hard) client->reset();
            client.reset();
            EXPECT_TRUE(wait_idle()) << more << ": by itself the answer would take 50 s";
        }
    }
}

TEST_F(Api, OverloadIsSaidAtOnce) {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 4 + 64; ++i) {
        clients.push_back(std::make_unique<RawClient>(server_->port()));
        clients.back()->send(post_request("/v1/chat/completions",
                                          chat_body("[slow] [long 1000]", R"("stream":true)")));
    }
    for (int i = 0; i < 1000 && backend_->health().waiting < 64; ++i)
        std::this_thread::sleep_for(milliseconds(5));
    ASSERT_EQ(backend_->health().waiting, 64);
    const auto refused = post("/v1/chat/completions", chat_body("x"));
    EXPECT_EQ(refused.status, 503);
    const int wait_s = std::stoi(refused.header("retry-after"));
    EXPECT_TRUE(wait_s >= 1 && wait_s <= 120) << wait_s;
    EXPECT_EQ(str(parse(refused).at("error").at("type")), "overloaded_error");
    clients.clear();
    EXPECT_TRUE(wait_idle());
}

TEST_F(Api, OlderEndpoints) {
    const auto said = parse(post("/api/chat", R"({"message":"[echo] hello"})")).as_object();
    EXPECT_EQ(str(said.at("response")), "[echo] hello");
    const std::string id = said.at("conversation").as_string().c_str();
    const auto context = parse(get("/api/context")).as_object();
    EXPECT_EQ(str(context.at("conversation")), id);
    EXPECT_EQ(context.at("messages").as_array().size(), 2U);
    EXPECT_EQ(parse(post("/api/toggle-thinking", "{}")).at("thinking").as_bool(), true);
    EXPECT_EQ(parse(post("/api/toggle-thinking", "")).at("thinking").as_bool(), false);
    EXPECT_EQ(parse(post("/api/set-temperature", R"({"temperature":0.25})"))
                  .at("temperature")
                  .as_double(),
              0.25);
    EXPECT_EQ(post("/api/set-temperature", R"({"temperature":9})").status, 400);
    EXPECT_EQ(parse(get("/api/status")).at("conversations").to_number<int>(), 1);
    EXPECT_EQ(str(parse(get("/api/model-info")).at("id")), backend_->info().id);
    const auto exported = get("/api/export-chat?format=markdown");
    EXPECT_NE(exported.body.find("[echo] hello"), std::string::npos);
    EXPECT_NE(exported.header("content-disposition").find("attachment"), std::string::npos);
    EXPECT_EQ(str(parse(get("/api/export-chat?conversation=" + id)).at("conversation")), id);
    EXPECT_EQ(get("/api/export-chat?format=exe").status, 400);
    EXPECT_EQ(get("/api/context?conversation=nobody").status, 404);
    EXPECT_EQ(parse(post("/api/reset-context", "{}")).at("messages").as_array().size(), 0U);
    EXPECT_EQ(post("/api/chat", R"({"message":""})").status, 400);
    EXPECT_EQ(post("/api/chat", R"({})").status, 400);
}

}  // namespace
}  // namespace notso::web

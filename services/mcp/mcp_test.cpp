// The MCP client against a scripted server (tests/mcp/fake_server.py) that behaves, and many that
// don't. tests/integration/test_mcp.py runs the reference server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <semaphore>

#include "services/mcp/mcp_tool.hpp"
#include "services/mcp/server.hpp"
#include "services/net/raw_server.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;

McpServerConfig fake(const std::string& mode) {
    return {.name = "fake",
            .command = "python3",
            .arguments = {NOTSO_SOURCE_DIR "/tests/mcp/fake_server.py", mode},
            .environment = {"GIVEN=yes"}};
}

class McpTest : public ::testing::Test {
  protected:
    McpTest() { std::signal(SIGPIPE, SIG_IGN); }  // as main() does

    /// Starts a server and waits until it is ready or failed.
    void start(McpServerConfig config, McpTimes times = {}) {
        client_ = std::make_shared<McpClient>(std::vector{std::move(config)}, times);
        while (status().state == McpState::kStarting) std::this_thread::yield();
        box_ = std::make_unique<ToolBox>(std::vector<ToolPtr>{},
                                         std::vector<std::shared_ptr<const ToolSource>>{client_});
    }
    McpStatus status() const { return client_->status().at(0); }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const ToolPtr& tool : client_->tools()) out.push_back(tool->info().name);
        return out;
    }
    ToolOutput call(std::string name, std::string arguments = "{}", ToolContext context = {}) {
        std::promise<ToolOutput> done;
        box_->start({std::move(name), std::move(arguments)},
                    std::move(context),
                    [&](ToolOutput output) { done.set_value(std::move(output)); });
        return done.get_future().get();
    }

    std::shared_ptr<McpClient> client_;
    std::unique_ptr<ToolBox> box_;
};

TEST_F(McpTest, ListsAndCallsTools) {
    start(fake("ok"));
    ASSERT_EQ(status().state, McpState::kReady) << status().detail;
    EXPECT_THAT(names(), Contains("fake__echo"));
    EXPECT_THAT(names(), Contains("fake__env")) << "of the second page";
    EXPECT_EQ(names().size(), 8U);
    for (const ToolPtr& tool : client_->tools()) {
        EXPECT_LE(tool->info().name.size(), 64U);
        EXPECT_EQ(tool->info().name.find_first_not_of(
                      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"),
                  std::string::npos);
        EXPECT_EQ(tool->info().policy, ToolPolicy::kAsksFirst);
        EXPECT_THAT(tool->info().sends_to, HasSubstr("fake"));
    }
    EXPECT_EQ(call("fake__echo", R"({"text":"hallo ö\n"})"), (ToolOutput{"hallo ö\n", false}));
    EXPECT_EQ(call("fake__env").text, "yes");
    EXPECT_EQ(call("fake__fail"), (ToolOutput{"it failed", true}));
    EXPECT_THAT(call("fake__echo").text, HasSubstr("\"text\" is missing"));
}

TEST_F(McpTest, ReportsProgressAndCancels) {
    start(fake("ok"));
    std::stop_source stop;
    ToolContext context;
    context.stop = stop.get_token();
    context.on_progress = [&](const ToolProgress& progress) {
        EXPECT_EQ(progress.total, 1000);
        if (progress.done >= 3) stop.request_stop();
    };
    EXPECT_EQ(call("fake__slow", "{}", context).text, "the call was cancelled");
    EXPECT_EQ(call("fake__echo", R"({"text":"still here"})").text, "still here");
}

TEST_F(McpTest, ACallHasItsTime) {
    start(fake("ok"), {.call = milliseconds(100)});
    const ToolOutput output = call("fake__slow");
    EXPECT_TRUE(output.is_error);
    EXPECT_THAT(output.text, HasSubstr("not ready within 0.1 s"));
    EXPECT_EQ(status().state, McpState::kReady) << "one slow call says nothing about the server";
}

TEST_F(McpTest, StartsAServerThatDiedAgain) {
    start(fake("ok"));
    EXPECT_THAT(call("fake__die").text, HasSubstr("gone"));
    EXPECT_EQ(status().state, McpState::kFailed);
    EXPECT_FALSE(names().empty()) << "its tools stay listed";
    EXPECT_EQ(call("fake__echo", R"({"text":"again"})").text, "again");
    EXPECT_EQ(status().state, McpState::kReady);
}

TEST_F(McpTest, FollowsAChangedList) {
    start(fake("ok"));
    EXPECT_FALSE(call("fake__change").is_error);
    while (names() != std::vector<std::string>{"fake__new_one"}) std::this_thread::yield();
}

TEST_F(McpTest, HostileServersAreReportedAndHangNothing) {
    const McpTimes quick{.start = milliseconds(300)};
    for (const char* mode : {"silent", "garbage", "huge", "exits", "deep"}) {
        start(fake(mode), quick);
        EXPECT_EQ(status().state, McpState::kFailed) << mode;
        EXPECT_FALSE(status().detail.empty()) << mode;
        EXPECT_TRUE(names().empty()) << mode;
    }
    start({.name = "none", .command = "no-such-program"});
    EXPECT_THAT(status().detail, HasSubstr("no program"));
    start(fake("wrong_ids"));
    EXPECT_EQ(call("fake__echo", R"({"text":"right"})").text, "right");
}

TEST_F(McpTest, SchemaBombsAreLeftOut) {
    start(fake("bombs"));
    EXPECT_EQ(status().state, McpState::kReady);
    EXPECT_EQ(names().size(), 128U);
    EXPECT_THAT(names(), ::testing::Not(Contains("fake__deep")));
    EXPECT_THAT(names(), ::testing::Not(Contains("fake__large")));
}

TEST_F(McpTest, AFailedServerIsLeftAloneForAWhile) {
    start(fake("exits"),
          {.first_retry = std::chrono::hours(1), .last_retry = std::chrono::hours(1)});
    const auto server = McpServer::create(
        fake("exits"), {.first_retry = std::chrono::hours(1), .last_retry = std::chrono::hours(1)});
    while (server->status().state == McpState::kStarting) std::this_thread::yield();
    ToolContext context;
    context.deadline = SteadyClock::now() + std::chrono::seconds(30);
    const auto output = server->call("echo", {}, context);
    ASSERT_FALSE(output.has_value());
    EXPECT_THAT(output.error().detail, HasSubstr("does not work"));
    server->shut_down();
}

TEST_F(McpTest, SpeaksHttp) {
    RawServer server([](RawPeer& peer, const std::string& request) {
        const auto body = json::parse(request.substr(request.find("\r\n\r\n") + 4)).as_object();
        const auto reply =
            [&](std::string_view type, const std::string& text, std::string_view more = "") {
                peer.send(fmt::format(
                    "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n{}Content-Length: {}\r\n\r\n{}",
                    type,
                    more,
                    text.size(),
                    text));
            };
        const auto result = [&](const char* text) {
            return json::serialize(json::object{
                {"jsonrpc", "2.0"}, {"id", body.at("id")}, {"result", json::parse(text)}});
        };
        const std::string_view method = body.at("method").as_string();
        if (method == "initialize") {
            reply("application/json",
                  result(R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}}})"),
                  "Mcp-Session-Id: s1\r\n");
        } else if (method == "tools/list") {
            reply("application/json",
                  result(R"({"tools":[{"name":"hi","inputSchema":{"type":"object"}}]})"));
        } else if (method == "tools/call") {
            reply("text/event-stream",
                  "event: message\ndata: {\"method\":\"other\"}\n\ndata: " +
                      result(R"({"content":[{"type":"text","text":"hello"}]})") + "\n\n");
        } else {
            peer.send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        }
    });
    start(
        {.name = "remote", .url = server.url("/mcp"), .headers = {{"Authorization", "Bearer k"}}});
    ASSERT_EQ(status().state, McpState::kReady) << status().detail;
    EXPECT_EQ(call("remote__hi").text, "hello");
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 4U);
    EXPECT_THAT(requests.at(3), HasSubstr("Mcp-Session-Id: s1\r\n"));
    EXPECT_THAT(requests.at(3), HasSubstr("MCP-Protocol-Version: 2025-06-18\r\n"));
    EXPECT_THAT(requests.at(3), HasSubstr("Authorization: Bearer k\r\n"));
    EXPECT_THAT(client_->tools().at(0)->info().sends_to, HasSubstr("127.0.0.1"));
    start({.name = "nobody", .url = "http://127.0.0.1:1/mcp"});
    EXPECT_EQ(status().state, McpState::kFailed);
}

TEST(McpNamesTest, AreUniqueAndShort) {
    EXPECT_EQ(mcp_tool_name("files", "read_file"), "files__read_file");
    EXPECT_NE(mcp_tool_name("a", "b c"), mcp_tool_name("a", "b/c"));
    const std::string name_long(100, 'n');
    EXPECT_LE(mcp_tool_name("a", name_long).size(), 64U);
    EXPECT_NE(mcp_tool_name("a", name_long), mcp_tool_name("a", name_long + "n"));
}

TEST(McpConfigTest, ReadsTheUsualShape) {
    const auto servers = parse_mcp_config(R"({"mcpServers":{
        "files":{"command":"npx","args":["-y","x"],"env":{"A":"b"}},
        "wiki":{"type":"http","url":"https://example.org/mcp","headers":{"K":"v"}},
        "off":{"command":"x","disabled":true}}})",
                                          "mcp.json");
    ASSERT_TRUE(servers.has_value()) << servers.error().detail;
    ASSERT_EQ(servers->size(), 2U);
    EXPECT_EQ(servers->at(0).arguments, (std::vector<std::string>{"-y", "x"}));
    EXPECT_EQ(servers->at(0).environment, std::vector<std::string>{"A=b"});
    EXPECT_TRUE(servers->at(1).is_remote());
    const auto wrong = [](const char* text, const char* why) {
        const auto read = parse_mcp_config(text, "mcp.json");
        ASSERT_FALSE(read.has_value()) << text;
        EXPECT_THAT(read.error().detail, HasSubstr(why));
    };
    wrong("{", "mcp.json: not JSON");
    wrong("{}", "mcpServers");
    wrong(R"({"mcpServers":{"a":{}}})", R"(server "a": it needs either "command" or "url")");
    wrong(R"({"mcpServers":{"a":{"command":"x","url":"http://y"}}})", "either");
    wrong(R"({"mcpServers":{"a":{"command":"x","args":"y"}}})", "\"args\" must be a list");
    wrong(R"({"mcpServers":{"a":{"command":"x","env":{"A":1}}}})", "\"env\" must have strings");
    wrong(R"({"mcpServers":{"a":{"url":"file:///x"}}})", "http");
    EXPECT_TRUE(read_mcp_config("/no/such/file")->empty());
}

}  // namespace
}  // namespace notso::services

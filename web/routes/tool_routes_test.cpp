// Calls of tools on the page: what is shown, the question, the decision, with script and without.
#include "services/tools/built_in.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

services::ToolPtr echo_tool(std::string name, services::ToolPolicy policy, std::string sends_to) {
    return services::make_built_in({.name = std::move(name),
                                    .title = "",
                                    .description = "",
                                    .parameters = {},
                                    .policy = policy,
                                    .sends_to = std::move(sends_to)},
                                   R"({"properties": {"x": {"type": "string"}}})",
                                   [](const boost::json::object& arguments,
                                      const services::ToolContext&) -> Result<std::string> {
                                       return "<b>" + services::text_argument(arguments, "x");
                                   });
}

class ToolRoutes : public AppFixture {
  protected:
    ToolRoutes() { tools_ = {.box = &box_}; }

    std::string new_chat(std::string_view message) {
        const auto response = post_form("/chat", fmt::format("message={}", message));
        const std::string location(response.header("location"));
        return location.substr(0, location.find('?'));
    }
    std::string page_with(const std::string& chat, std::string_view text) {
        for (int i = 0; i < 500; ++i) {
            std::string page = get(chat).body;
            if (page.contains(text)) return page;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ADD_FAILURE() << text << " does not appear";
        return {};
    }

    services::ToolBox box_{{echo_tool("look_up", services::ToolPolicy::kRunsFreely, ""),
                            echo_tool("act", services::ToolPolicy::kAsksFirst, "<far> away")}};
};

TEST_F(ToolRoutes, ACallAndWhatItGaveAreShownAsText) {
    const std::string chat =
        new_chat("%5Bcall+look_up+%7B%22x%22%3A%22%3Ci%3E%22%7D%5D");  // [call look_up {"x":"<i>"}]
    const std::string page = page_with(chat, "The tool says");
    EXPECT_TRUE(page.contains("<span>Used look up</span>")) << page;
    EXPECT_TRUE(page.contains("<dd>&lt;b&gt;&lt;i&gt;</dd>")) << page;
    EXPECT_FALSE(page.contains("<b><i>"));
}

TEST_F(ToolRoutes, AQuestionIsAFormThatSurvivesAReload) {
    const std::string chat = new_chat("%5Bcall+act+%7B%22x%22%3A%22go%22%7D%5D");
    const std::string page = page_with(chat, "Wants to use act");
    EXPECT_TRUE(page.contains("is sent to &lt;far&gt; away"));
    EXPECT_TRUE(page.contains("action=\"" + chat + "/tool\""));
    EXPECT_TRUE(get(chat).body.contains("Wants to use act"));
    EXPECT_EQ(post_form(chat + "/tool", "use=call-1&decision=maybe").status, 400);
    EXPECT_EQ(post_form(chat + "/tool", "use=call-7&decision=allow").status, 404);
    EXPECT_EQ(
        post_form("/chat/" + std::string(32, '0') + "/tool", "use=call-1&decision=allow").status,
        404);
    EXPECT_EQ(
        post_form(chat + "/tool", "use=call-1&decision=allow", "Origin: http://evil.example\r\n")
            .status,
        403);
    EXPECT_EQ(post_form(chat + "/tool", "use=call-1&decision=allow", "HX-Request: true\r\n").status,
              204);
    EXPECT_TRUE(page_with(chat, "The tool says").contains("Used act · sent to &lt;far&gt; away"));
}

class ToolRoutesOfTwo : public ToolRoutes {
  protected:
    void SetUp() override {
        ServerOptions options;
        options.spaces = true;
        start_with(services::make_stub_backend({}), std::move(options));
    }
};

TEST_F(ToolRoutesOfTwo, SomebodyElsesQuestionIsNotAnswered) {
    const auto sent = post_form("/chat", "message=%5Bcall+act+%7B%22x%22%3A%22go%22%7D%5D");
    const std::string cookie(sent.header("set-cookie"));
    const std::string her = "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
    const std::string chat(sent.header("location").substr(0, 38));
    const auto page = [&] { return RawClient(server_->port()).ask(get_request(chat, her)).body; };
    while (!page().contains("Wants to use act"))
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (const char* decision : {"allow", "always", "deny"}) {
        const auto foreign =
            post_form(chat + "/tool", fmt::format("use=call-1&decision={}", decision));
        EXPECT_EQ(foreign.status, 404);
        EXPECT_TRUE(page().contains("Wants to use act")) << "it still asks her";
    }
    EXPECT_EQ(post_form(chat + "/tool", "use=call-1&decision=allow", her).status, 303);
}

TEST_F(ToolRoutes, ThePageOfToolsTakesAlwaysBack) {
    const auto listed = [this] {
        const std::string page = get("/tools").body;
        return page.substr(std::min(page.find("id=\"tools-heading\""), page.size()));
    };
    const std::string before = listed();
    EXPECT_TRUE(before.contains("<strong>look up</strong> <code>look_up</code>")) << before;
    EXPECT_TRUE(before.contains("Runs by itself."));
    EXPECT_TRUE(before.contains("sends text to &lt;far&gt; away"));
    EXPECT_TRUE(before.contains("Asks before each call."));
    EXPECT_FALSE(before.contains("Ask again"));
    const std::string chat = new_chat("%5Bcall+act+%7B%22x%22%3A%22go%22%7D%5D");
    page_with(chat, "Wants to use act");
    post_form(chat + "/tool", "use=call-1&decision=always");
    page_with(chat, "The tool says");
    ASSERT_TRUE(store_.allow_tool(services::local_owner(), "gone<b>"));
    const std::string allowed = listed();
    EXPECT_TRUE(allowed.contains("because you always allow it"));
    EXPECT_TRUE(allowed.contains("<code>gone&lt;b&gt;</code>"));
    EXPECT_TRUE(allowed.contains("It is not there now."));
    EXPECT_EQ(post_form("/tools/ask", "tool=act", "Origin: http://evil.example\r\n").status, 403);
    EXPECT_EQ(post_form("/tools/ask", "tool=act").header("location"), "/tools");
    EXPECT_EQ(post_form("/tools/ask", "tool=gone%3Cb%3E").header("location"), "/tools");
    EXPECT_EQ(post_form("/tools/ask", "tool=act").status, 404);
    EXPECT_EQ(post_form("/tools/ask", "").status, 404);
    EXPECT_EQ(listed(), before);
    page_with(new_chat("%5Bcall+act+%7B%22x%22%3A%22go%22%7D%5D"), "Wants to use act");
}

TEST_F(ToolRoutes, ThePageOfToolsSaysWhichServerIsDead) {
    const std::vector<services::McpServerConfig> configured = {
        {.name = "<wiki>", .command = "/nowhere/no-such-program"}};
    const services::McpClient servers(configured);
    context_->mcp = &servers;
    const std::string page = page_with("/tools", "does not answer");
    EXPECT_TRUE(page.contains("<strong>&lt;wiki&gt;</strong>"));
    EXPECT_TRUE(page.contains("no-such-program")) << page;
    context_->mcp = nullptr;
    EXPECT_FALSE(get("/tools").body.contains("Servers of tools"));
}

TEST_F(ToolRoutes, DenyIsToldToTheModel) {
    const std::string chat = new_chat("%5Bcall+act+%7B%22x%22%3A%22go%22%7D%5D");
    page_with(chat, "Wants to use act");
    EXPECT_EQ(post_form(chat + "/tool", "use=call-1&decision=deny").header("location"),
              chat + "?follow=1");
    const std::string page = page_with(chat, "The tool says");
    EXPECT_TRUE(page.contains("act was not allowed"));
    EXPECT_TRUE(page.contains("did not allow this call"));
}

}  // namespace
}  // namespace notso::web

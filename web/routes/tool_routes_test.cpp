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

// The pages of settings, without script: what is saved, what is refused and kept in the form, whose
// it is, and that it reaches the backend.
#include "services/session/chat_settings.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

constexpr std::string_view kHer = "Cookie: notso-space=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
constexpr std::string_view kHim = "Cookie: notso-space=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n";
constexpr std::string_view kFilled =
    "system_prompt=Be+brief.&temperature=0,5&top_p=0.9&top_k=40&min_p=0.05&repeat_penalty=1.1&"
    "max_tokens=100&thinking_budget=200&context_size=600";

/// The stub, which remembers what it was asked.
class WatchedBackend final : public services::ChatBackend {
  public:
    Result<std::unique_ptr<services::ChatStream>> start(
        const services::ChatRequest& request, services::ChatEventHandler handler) override {
        {
            const std::lock_guard lock(mutex_);
            last_ = request;
        }
        return stub_->start(request, std::move(handler));
    }
    Result<std::int64_t> count_tokens(const services::ChatRequest& request) override {
        return stub_->count_tokens(request);
    }
    services::ModelInfo info() const override { return stub_->info(); }
    services::Health health() const override { return stub_->health(); }

    services::ChatRequest last() {
        const std::lock_guard lock(mutex_);
        return last_;
    }

  private:
    std::unique_ptr<services::ChatBackend> stub_ = services::make_stub_backend({});
    std::mutex mutex_;
    services::ChatRequest last_;
};

class SettingsRoutes : public AppFixture {
  protected:
    void SetUp() override {
        auto backend = std::make_unique<WatchedBackend>();
        watched_ = backend.get();
        ServerOptions options;
        options.spaces = true;
        start_with(std::move(backend), std::move(options));
    }
    RawResponse get_as(std::string_view who, std::string_view path) {
        return RawClient(server_->port()).ask(get_request(path, who));
    }
    /// Sends a form, and follows it; the page that says what was done.
    std::string done(std::string_view path, std::string_view fields) {
        const auto response = post_form(path, fields, kHer);
        EXPECT_EQ(response.status, 303) << response.body;
        return get_as(kHer, response.header("location")).body;
    }
    /// A conversation in which somebody has said something, and has been answered.
    std::string new_chat(std::string_view who = kHer) {
        const auto made = post_form("/chat", "message=hello", who);
        EXPECT_EQ(made.status, 303) << made.body;
        EXPECT_TRUE(wait_idle());
        const std::string chat = std::string(made.header("location")).substr(0, 38);
        get_as(who, chat + "?follow=1");  // until it has ended
        return chat;
    }
    void say(const std::string& chat, std::string_view text) {
        EXPECT_EQ(post_form(chat + "/messages", fmt::format("message={}", text), kHer).status, 303);
        get_as(kHer, chat + "?follow=1");
        EXPECT_TRUE(wait_idle());
    }
    static bool has_value(const std::string& page, std::string_view name, std::string_view value) {
        const std::size_t at = page.find(fmt::format("name=\"{}\"", name));
        return at != std::string::npos &&
               page.substr(at, 200).contains(fmt::format("value=\"{}\"", value));
    }

    WatchedBackend* watched_ = nullptr;
};

TEST_F(SettingsRoutes, WhatIsSavedIsWhatNewChatsBeginWith) {
    const std::string old = new_chat();
    const std::string page = done("/settings", kFilled);
    EXPECT_TRUE(page.contains("role=\"status\""));
    EXPECT_TRUE(page.contains("Saved."));
    EXPECT_TRUE(has_value(page, "temperature", "0.5")) << "as it was understood";
    EXPECT_TRUE(page.contains(">\nBe brief.</textarea>"));
    new_chat();
    const services::ChatRequest asked = watched_->last();
    EXPECT_EQ(asked.messages.front().content, "Be brief.");
    EXPECT_EQ(asked.sampling.temperature, 0.5);
    EXPECT_EQ(asked.sampling.top_p, 0.9);
    EXPECT_EQ(asked.sampling.top_k, 40);
    EXPECT_EQ(asked.sampling.min_p, 0.05);
    EXPECT_EQ(asked.sampling.repeat_penalty, 1.1);
    EXPECT_EQ(asked.max_tokens, 100);
    EXPECT_EQ(asked.thinking_budget, 200);
    say(old, "again");
    EXPECT_EQ(watched_->last().sampling.temperature, std::nullopt) << "the old chat has its own";
}

TEST_F(SettingsRoutes, QuietModeReachesTheBackendUntilItIsTakenBack) {
    constexpr std::string_view kTicked = "name=\"quiet\" value=\"1\" checked";
    EXPECT_FALSE(get_as(kHer, "/settings").body.contains(kTicked));
    EXPECT_TRUE(done("/settings", "quiet=1").contains(kTicked));
    const std::string chat = new_chat();
    EXPECT_TRUE(watched_->last().quiet);
    EXPECT_FALSE(done("/settings", "temperature=1").contains(kTicked));
    say(chat, "again");
    EXPECT_FALSE(watched_->last().quiet);
}

TEST_F(SettingsRoutes, TheBudgetOfANewChatIsThatOfItsPage) {
    done("/settings", kFilled);
    const std::string page = get_as(kHer, "/").body;
    EXPECT_TRUE(page.contains("<option value=\"200\" selected>")) << page;
    EXPECT_FALSE(get_as(kHim, "/").body.contains("<option value=\"200\""));
}

TEST_F(SettingsRoutes, WhatCanNotBeUsedStaysInTheFormAndIsExplained) {
    done("/settings", "temperature=0.5&theme=dark");
    for (const auto& [name, text, range] :
         {std::array<std::string_view, 3>{"temperature", "3", "from 0 to 2"},
          {"temperature", "NaN", "from 0 to 2"},
          {"top_p", "0", "from 0.01 to 1"},
          {"top_k", "1e308", "from 0 to 1000"},
          {"min_p", "inf", "from 0 to 1"},
          {"repeat_penalty", "-1", "from 0.01 to 10"},
          {"max_tokens", "0", "from 1 to 131072"},
          {"thinking_budget", "1.5", "from 0 to 131072"},
          {"context_size", "99999999", "from 512 to"},
          {"top_k", "%22%3E%3Cscript%3E", "from 0 to 1000"}}) {
        const auto refused =
            post_form("/settings", fmt::format("system_prompt=Typed+text&{}={}", name, text), kHer);
        EXPECT_EQ(refused.status, 400) << name << text;
        EXPECT_TRUE(refused.body.contains(fmt::format("<a href=\"#{}\">", name))) << name;
        EXPECT_TRUE(refused.body.contains(range)) << name;
        EXPECT_TRUE(refused.body.contains(fmt::format("error-{}\" aria-invalid=\"true\"", name)));
        EXPECT_TRUE(refused.body.contains("Typed text</textarea>")) << "nothing typed is lost";
        EXPECT_FALSE(refused.body.contains("\"><script>")) << "and it is only text";
        EXPECT_TRUE(text.starts_with('%') || has_value(refused.body, name, text)) << name;
    }
    const auto longer = post_form(
        "/settings", fmt::format("temperature=1&system_prompt={}", std::string(16385, 'a')), kHer);
    EXPECT_EQ(longer.status, 400);
    EXPECT_TRUE(longer.body.contains("16385 bytes; it may have at most 16384"));
    EXPECT_EQ(post_form("/settings", "theme=blue", kHer).status, 400);
    EXPECT_TRUE(has_value(get_as(kHer, "/settings").body, "temperature", "0.5"))
        << "what was saved before is still there";
}

TEST_F(SettingsRoutes, AChatHasItsOwn) {
    done("/settings", "temperature=0.5");
    const std::string chat = new_chat();
    const std::string path = chat + "/settings";
    const std::string before = get_as(kHer, path).body;
    EXPECT_TRUE(has_value(before, "temperature", "0.5"));
    EXPECT_TRUE(before.contains("the values that new chats begin with"));
    const std::string after = done(path, "temperature=1.5&system_prompt=Rhyme.");
    EXPECT_TRUE(after.contains("from the next answer on"));
    EXPECT_TRUE(after.contains("values of its own"));
    say(chat, "next");
    EXPECT_EQ(watched_->last().sampling.temperature, 1.5);
    EXPECT_EQ(watched_->last().messages.front().content, "Rhyme.");
    const auto refused = post_form(path, "temperature=9&system_prompt=Typed", kHer);
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(has_value(refused.body, "temperature", "9"));
    EXPECT_TRUE(refused.body.contains("Typed</textarea>"));
    EXPECT_TRUE(has_value(done(path, "take="), "temperature", "0.5"));
    EXPECT_TRUE(get_as(kHer, chat).body.contains(path)) << "its menu leads there";
}

TEST_F(SettingsRoutes, PresetsAreMadeChosenRenamedOverwrittenAndDeleted) {
    EXPECT_TRUE(
        done("/settings/presets", "preset=Warm&temperature=1.5").contains("Temperature 1.5"));
    const auto twice = post_form("/settings/presets", "preset=Warm&temperature=0.1", kHer);
    EXPECT_EQ(twice.status, 400);
    EXPECT_TRUE(twice.body.contains("There is a preset “Warm” already"));
    EXPECT_TRUE(has_value(twice.body, "temperature", "0.1"));
    EXPECT_TRUE(has_value(twice.body, "preset", "Warm"));
    done("/settings/presets", "preset=Warm&temperature=0.1&overwrite=1");
    EXPECT_EQ(post_form("/settings/presets", "preset=&temperature=1", kHer).status, 400);

    const std::string chat = new_chat();
    const std::string taken = done(chat + "/settings", "take=Warm");
    EXPECT_TRUE(has_value(taken, "temperature", "0.1"));
    EXPECT_TRUE(taken.contains("the values of the preset “Warm”"));
    EXPECT_EQ(post_form(chat + "/settings", "take=Hot", kHer).status, 404);

    EXPECT_TRUE(done("/settings/presets/rename", "preset=Warm&to=Cool+%26+calm")
                    .contains("Cool &amp; calm"));
    EXPECT_TRUE(get_as(kHer, "/settings?preset=Cool%20%26%20calm").body.contains("0.1"));
    EXPECT_TRUE(done("/settings/presets/default", "preset=Cool+%26+calm")
                    .contains("New chats begin with the preset"));
    new_chat();
    EXPECT_EQ(watched_->last().sampling.temperature, 0.1);
    EXPECT_FALSE(done("/settings/presets/delete", "preset=Cool+%26+calm").contains("calm"));
    new_chat();
    EXPECT_EQ(watched_->last().sampling.temperature, std::nullopt);
    say(chat, "more");
    EXPECT_EQ(watched_->last().sampling.temperature, 0.1) << "a chat keeps what it took";
    EXPECT_EQ(post_form("/settings/presets/delete", "preset=Warm", kHer).status, 404);
    EXPECT_EQ(get_as(kHer, "/settings?preset=Warm").status, 404);
}

TEST_F(SettingsRoutes, NobodySeesOrUsesThoseOfAnother) {
    done("/settings", "system_prompt=Xylophonenkonzert&theme=dark");
    done("/settings/presets", "preset=Xylophonenkonzert&temperature=1");
    EXPECT_FALSE(get_as(kHim, "/settings").body.contains("Xylophonenkonzert"));
    EXPECT_EQ(get_as(kHim, "/settings?preset=Xylophonenkonzert").status, 404);
    EXPECT_EQ(post_form("/settings/presets/delete", "preset=Xylophonenkonzert", kHim).status, 404);
    const std::string his = new_chat(kHim);
    EXPECT_EQ(watched_->last().messages.front().role, "user");
    EXPECT_FALSE(get_as(kHim, his + "/settings").body.contains("Xylophonenkonzert"));
    EXPECT_EQ(post_form(his + "/settings", "take=Xylophonenkonzert", kHim).status, 404);
    EXPECT_FALSE(get_as(kHim, "/").body.contains("data-theme=\"dark\""));
}

TEST_F(SettingsRoutes, ColoursFollowTheOwnerAndTheBrowser) {
    const auto saved = post_form("/settings", "theme=dark", kHer);
    EXPECT_TRUE(std::string(saved.header("set-cookie")).starts_with("theme=dark;"));
    EXPECT_FALSE(std::string(saved.header("set-cookie")).contains("HttpOnly"));
    EXPECT_TRUE(get_as(kHer, "/").body.contains("data-theme=\"dark\"")) << "in another browser too";
    const std::string light = std::string(kHer.substr(0, kHer.size() - 2)) + "; theme=light\r\n";
    EXPECT_TRUE(get_as(light, "/").body.contains("data-theme=\"light\"")) << "chosen here";
    const auto toggled = post_form("/settings/theme", "theme=light", kHer);
    EXPECT_EQ(toggled.status, 204);
    EXPECT_TRUE(get_as(kHer, "/").body.contains("data-theme=\"light\""));
    EXPECT_TRUE(get_as(kHer, "/settings").body.contains("value=\"light\" checked"));
    EXPECT_EQ(post_form("/settings/theme", "theme=", kHer).status, 400);
}

TEST_F(SettingsRoutes, ExportAndImportKeepWhatAChatHas) {
    const std::string chat = new_chat();
    done(chat + "/settings", kFilled);
    const std::string file = get_as(kHer, "/archive/export?format=json").body;
    for (const std::string_view part :
         {"\"temperature\":\"0.5\"", "\"top_k\":40", "\"max_tokens\":100", "\"context_size\":600"})
        EXPECT_TRUE(file.contains(part)) << part;
    const std::string_view end = "\r\n--x--\r\n";
    const std::string body =
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.json\"\r\n\r\n" + file +
        std::string(end);
    const auto imported =
        RawClient(server_->port())
            .ask(fmt::format("POST /archive/import HTTP/1.1\r\nHost: localhost\r\n"
                             "Content-Type: multipart/form-data; boundary=x\r\n"
                             "Content-Length: {}\r\n{}\r\n{}",
                             body.size(),
                             kHim,
                             body));
    EXPECT_TRUE(imported.body.contains("1 conversation")) << imported.body.substr(0, 4000);
    const std::string page = get_as(kHim, "/").body;
    const std::size_t at = page.find("href=\"/chat/");
    ASSERT_NE(at, std::string::npos);
    const std::string copy = page.substr(at + 6, 38);
    EXPECT_NE(copy, chat);
    const std::string settings = get_as(kHim, copy + "/settings").body;
    EXPECT_TRUE(has_value(settings, "temperature", "0.5"));
    EXPECT_TRUE(has_value(settings, "context_size", "600"));
    EXPECT_TRUE(settings.contains("Be brief.</textarea>"));
}

}  // namespace
}  // namespace notso::web

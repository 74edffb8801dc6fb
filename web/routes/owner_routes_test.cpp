// Two owners and every route of the route table: what one of them has is 404 to the other, and
// stays as it is. A new route with an {id} is tried by itself; one without has to be named here.
#include <map>
#include <set>

#include "web/middleware/visitors.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

constexpr std::string_view kHer = "Cookie: notso-space=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
constexpr std::string_view kHim = "Cookie: notso-space=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n";
constexpr std::string_view kSecret = "Xylophonenkonzert";

/// How a route without an {id} in its path can be asked for somebody's conversation.
enum class Way {
    kNoConversation,  ///< Nothing in the request names one; what it shows is the asker's own.
    kJsonBody,        ///< {"conversation": …}
    kQuery,           ///< ?conversation=…
    kTick,            ///< A form's field "chat-…"
};

const std::map<std::string, Way> kWays = {
    {"GET /", Way::kNoConversation},
    {"GET /account", Way::kNoConversation},
    {"GET /chats", Way::kNoConversation},
    {"GET /archived", Way::kNoConversation},
    {"GET /archive", Way::kNoConversation},
    {"GET /archive/export", Way::kNoConversation},
    {"POST /archive/import", Way::kNoConversation},
    {"POST /files", Way::kNoConversation},
    {"POST /files/remove", Way::kNoConversation},
    {"GET /assets/{file}", Way::kNoConversation},
    {"GET /health", Way::kNoConversation},
    {"GET /help", Way::kNoConversation},
    {"GET /livez", Way::kNoConversation},
    {"GET /login", Way::kNoConversation},
    {"GET /metrics", Way::kNoConversation},
    {"GET /model-badge", Way::kNoConversation},
    {"GET /models", Way::kNoConversation},
    {"GET /models/pull", Way::kNoConversation},
    {"GET /readyz", Way::kNoConversation},
    {"GET /search", Way::kNoConversation},
    {"GET /settings", Way::kNoConversation},
    {"GET /tools", Way::kNoConversation},
    {"GET /api/model-info", Way::kNoConversation},
    {"GET /api/status", Way::kNoConversation},
    {"GET /v1/models", Way::kNoConversation},
    {"GET /v1/models/{id}", Way::kNoConversation},
    {"POST /account/password", Way::kNoConversation},
    {"POST /account/sign-out-everywhere", Way::kNoConversation},
    {"POST /login", Way::kNoConversation},
    {"POST /language", Way::kNoConversation},
    {"GET /manifest.webmanifest", Way::kNoConversation},
    {"GET /worker.js", Way::kNoConversation},
    {"GET /offline", Way::kNoConversation},
    {"POST /logout", Way::kNoConversation},
    {"POST /chat", Way::kNoConversation},
    {"POST /chats/delete", Way::kTick},
    {"POST /chats/restore", Way::kTick},
    {"POST /chats/archive", Way::kTick},
    {"POST /settings", Way::kNoConversation},
    {"POST /settings/presets", Way::kNoConversation},
    {"POST /settings/presets/default", Way::kNoConversation},
    {"POST /settings/presets/delete", Way::kNoConversation},
    {"POST /settings/presets/rename", Way::kNoConversation},
    {"POST /settings/theme", Way::kNoConversation},
    {"POST /tools/ask", Way::kNoConversation},
    {"POST /models/pull", Way::kNoConversation},
    {"POST /models/pull/cancel", Way::kNoConversation},
    {"POST /v1/chat/completions", Way::kNoConversation},
    {"POST /v1/completions", Way::kNoConversation},
    {"GET /api/context", Way::kQuery},
    {"GET /api/export-chat", Way::kQuery},
    {"POST /api/chat", Way::kJsonBody},
    {"POST /api/context", Way::kJsonBody},
    {"POST /api/reset-context", Way::kJsonBody},
    {"POST /api/set-temperature", Way::kJsonBody},
    {"POST /api/toggle-thinking", Way::kJsonBody},
};

/// Whose own request finds nothing either, since it is about something that these conversations
/// don't have; ToolRoutesOfTwo tries it.
const std::set<std::string> kNothingThere = {"POST /chat/{id}/tool", "POST /chat/{id}/withdraw"};

/// A conversation with a question and an answer.
struct Chat {
    services::ConversationId id;
    services::Message question;
    services::Message answer;
    services::AttachmentId sent;    ///< A file of the question.
    services::AttachmentId unsent;  ///< One in the composer.
};

class OwnerRoutes : public AppFixture {
  protected:
    void SetUp() override {
        ServerOptions options;
        options.spaces = true;
        start_with(services::make_stub_backend({}), std::move(options));
    }

    Chat new_chat() {
        owner_ = owner_named(kHer);
        const services::AttachmentId sent = attach({owner_, {}});
        const auto made =
            post_form("/chat", fmt::format("message={}&file-{}=1", kSecret, sent.value), kHer);
        const std::string location(made.header("location"));
        EXPECT_TRUE(location.starts_with("/chat/")) << made.status;
        const services::ConversationKey key(owner_, {location.substr(6, 32)});
        EXPECT_TRUE(wait_answered(key));
        const auto messages = *messages_of(key);
        return {key.id, messages.at(0), messages.at(1), sent, attach(key)};
    }
    Result<std::vector<services::Message>> messages_of(const services::ConversationKey& key) {
        return in_store([&](services::SessionStore& store) { return store.messages(key); });
    }
    /// Waits until the answer is stored as it stays; false after 10 s.
    bool wait_answered(const services::ConversationKey& key) {
        for (int i = 0; i < 2000; ++i) {
            const auto messages = messages_of(key);
            if (messages && messages->size() == 2 &&
                messages->back().state != services::MessageState::kRunning)
                return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }
    services::AttachmentId attach(const services::ConversationKey& key) {
        services::AttachedFile file;
        file.id = {random_id()};
        file.name = fmt::format("{}.txt", kSecret);
        file.bytes = file.text_bytes = std::ssize(kSecret);
        file.text_is_file = true;
        EXPECT_TRUE(store_.begin_attachment(key, file));
        EXPECT_TRUE(store_.append_attachment(file.id, services::AttachmentPart::kFile, kSecret));
        EXPECT_TRUE(store_.finish_attachment(file.id));
        return file.id;
    }
    static services::OwnerId owner_named(std::string_view cookie) {
        Request request;
        request.headers["cookie"] = std::string(cookie.substr(8, cookie.size() - 10));
        ServerOptions options;
        options.spaces = true;
        Visitors(options).identify(request, {Method::kGet, "/x", nullptr});
        return request.owner;
    }
    RawResponse get_as(std::string_view who, std::string_view path) {
        return RawClient(server_->port()).ask(get_request(path, who));
    }
    RawResponse post_json_as(std::string_view who, std::string_view path, std::string_view body) {
        return RawClient(server_->port())
            .ask(fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                             "application/json\r\nContent-Length: {}\r\n{}\r\n{}",
                             path,
                             body.size(),
                             who,
                             body));
    }

    /// Every field that a form of a conversation has.
    static std::string form_for(const Route& route, const Chat& chat) {
        const bool of_question = route.pattern.ends_with("/edit");
        return fmt::format(
            "message={}&text=changed&question={}&answer={}&use=call-1&decision=allow&title=stolen&"
            "model=&thinking=on&pinned=1&system_prompt=stolen&temperature=1.5&file={}",
            of_question ? chat.question.id.value : chat.answer.id.value,
            chat.question.id.value,
            chat.answer.id.value,
            chat.unsent.value);
    }
    RawResponse ask(std::string_view who, const Route& route, const Chat& chat) {
        std::string path = route.pattern;
        for (const auto& [name, value] :
             {std::pair<std::string_view, std::string>{"{id}", chat.id.value},
              {"{message}", chat.answer.id.value},
              {"{file}", chat.sent.value}}) {
            if (const auto at = path.find(name); at != std::string::npos)
                path.replace(at, name.size(), value);
        }
        EXPECT_FALSE(path.contains('{')) << "this test does not know what to put into " << path;
        if (route.method == Method::kGet) return get_as(who, path);
        return post_form(path, form_for(route, chat), who);
    }
    /// Title, texts, versions, pin and all: a text that differs when anything does.
    std::string state_of(const Chat& chat) {
        const services::ConversationKey key(owner_, chat.id);
        const auto conversation = store_.conversation(key);
        const auto messages = messages_of(key);
        if (!conversation || !messages) return "gone";
        std::string state = fmt::format("{} {} {} {} {} {}",
                                        conversation->settings.system_prompt,
                                        conversation->title,
                                        conversation->pinned,
                                        conversation->thinking,
                                        conversation->model,
                                        conversation->leaf.value);
        for (const auto& message : *messages) {
            state += "\n" + message.id.value + message.text;
            for (const auto& file : message.files) state += file.id.value;
        }
        const auto unsent = store_.composer_files(key);
        for (const auto& file : *unsent) state += file.id.value;
        return state;
    }

    services::OwnerId owner_;
};

std::string name_of(const Route& route) {
    return fmt::format("{} {}", to_string(route.method), route.pattern);
}

TEST_F(OwnerRoutes, WhatHasAConversationInItsPathIsNothingToOthers) {
    int tried = 0;
    for (const Route& route : make_routes(*context_)) {
        if (!route.pattern.contains("{id}") || kWays.contains(name_of(route))) continue;
        SCOPED_TRACE(name_of(route));
        const Chat chat = new_chat();
        const bool restores = route.pattern.ends_with("/restore");
        if (restores) post_form("/chat/" + chat.id.value + "/delete", "", kHer);
        if (route.pattern.ends_with("/continue")) {
            services::Message cut = chat.answer;
            cut.state = services::MessageState::kStopped;
            EXPECT_TRUE(store_.update_message(cut));
        }
        const std::string before = state_of(chat);
        const auto foreign = ask(kHim, route, chat);
        EXPECT_EQ(foreign.status, 404);
        EXPECT_FALSE(foreign.body.contains(kSecret));
        EXPECT_EQ(state_of(chat), before) << "nothing of it changes";
        const auto own = ask(kHer, route, chat);
        EXPECT_EQ(own.status == 404, kNothingThere.contains(name_of(route)))
            << "the request is one that works: " << own.status;
        EXPECT_LT(own.status, own.status == 404 ? 405 : 400) << own.body;
        ++tried;
    }
    EXPECT_GE(tried, 20);
}

TEST_F(OwnerRoutes, WhatNamesAConversationElsewhereFindsNoneOfOthers) {
    int tried = 0;
    for (const Route& route : make_routes(*context_)) {
        const auto way = kWays.find(name_of(route));
        if (way == kWays.end() && route.pattern.contains("{id}")) continue;
        ASSERT_NE(way, kWays.end())
            << name_of(route) << ": say in kWays how it names conversations";
        if (way->second == Way::kNoConversation) continue;
        SCOPED_TRACE(name_of(route));
        const Chat chat = new_chat();
        const bool restores = route.pattern.ends_with("/restore");
        if (restores) post_form("/chat/" + chat.id.value + "/delete", "", kHer);
        const std::string before = state_of(chat);
        const auto ask_as = [&](std::string_view who) {
            if (way->second == Way::kTick)
                return post_form(route.pattern, "chat-" + chat.id.value + "=1", who);
            if (way->second == Way::kQuery)
                return get_as(who, route.pattern + "?conversation=" + chat.id.value);
            return post_json_as(
                who,
                route.pattern,
                fmt::format(
                    R"({{"conversation":"{}","message":"x","temperature":1,"enabled":false}})",
                    chat.id.value));
        };
        const auto foreign = ask_as(kHim);
        EXPECT_EQ(foreign.status, 404);
        EXPECT_FALSE(foreign.body.contains(kSecret));
        EXPECT_EQ(state_of(chat), before) << "nothing of it changes";
        const bool goes_on = restores || route.pattern.ends_with("/archive");
        EXPECT_EQ(ask_as(kHer).status, goes_on ? 303 : 200) << "the request is one that works";
        ++tried;
    }
    EXPECT_EQ(tried, 10);
}

TEST_F(OwnerRoutes, WhatNamesNoConversationShowsNoneOfOthers) {
    new_chat();
    for (const Route& route : make_routes(*context_)) {
        const auto way = kWays.find(name_of(route));
        if (way == kWays.end() || way->second != Way::kNoConversation) continue;
        if (route.method != Method::kGet || route.pattern.contains('{')) continue;
        const std::string path = route.pattern + "?q=" + std::string(kSecret);
        const std::string seen = get_as(kHim, path).body;
        EXPECT_FALSE(seen.contains(fmt::format(">{}<", kSecret))) << path;
        EXPECT_FALSE(seen.contains("<mark>")) << path;
    }
    EXPECT_TRUE(get_as(kHer, "/").body.contains(fmt::format(">{}<", kSecret))) << "her list";
    EXPECT_TRUE(get_as(kHer, fmt::format("/search?q={}", kSecret)).body.contains("<mark>"));
    EXPECT_FALSE(get_as(kHim, "/archive/export").body.contains(kSecret));
    EXPECT_TRUE(get_as(kHer, "/archive/export").body.contains(kSecret));
    EXPECT_TRUE(get_as(kHim, "/api/status").body.contains("\"conversations\":0"));
    EXPECT_TRUE(get_as(kHer, "/api/status").body.contains("\"conversations\":1"));
}

TEST_F(OwnerRoutes, AStreamThatComesBackWithSomebodyElsesEventIdSeesNothing) {
    const Chat chat = new_chat();
    const std::string position = fmt::format("Last-Event-ID: {}-1\r\n", chat.answer.id.value);
    const std::string path = "/chat/" + chat.id.value + "/stream";
    EXPECT_TRUE(
        get_as(std::string(kHer) + position, path).body.contains(chat.answer.text.substr(0, 10)));
    const auto foreign = get_as(std::string(kHim) + position, path);
    EXPECT_FALSE(foreign.body.contains(chat.answer.text.substr(0, 10)));
    EXPECT_TRUE(foreign.body.contains("turn-end")) << "and does not come back for ever";
}

TEST_F(OwnerRoutes, ABrowserIsGivenItsCookieOnPagesOnly) {
    EXPECT_FALSE(get("/").header("set-cookie").empty());
    EXPECT_FALSE(get("/chat/" + std::string(32, '0')).header("set-cookie").empty());
    EXPECT_TRUE(get("/api/status").header("set-cookie").empty());
    EXPECT_TRUE(get("/livez").header("set-cookie").empty());
    EXPECT_TRUE(get("/assets/none").header("set-cookie").empty());
    const auto sent = post_form("/chat", "message=hello");
    const std::string cookie(sent.header("set-cookie"));
    const std::string pair = "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
    EXPECT_EQ(get_as(pair, sent.header("location")).status, 200) << "the first form begins a space";
}

}  // namespace
}  // namespace notso::web

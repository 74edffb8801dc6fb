// Control strings as titles, given by people and by models: on the page they are escaped, and what
// a reader sees is the title to the byte; files have it as it is.
#include "services/chat/title.hpp"

#include <algorithm>

#include "services/chat/side_texts.hpp"
#include "services/prompt/control_strings.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

using services::ChatRequest;
namespace chat_event = services::chat_event;

std::string form_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return out;
}

/// What a browser shows for escaped text.
std::string unescaped(std::string text) {
    // The ampersand comes last, or text that looks escaped would be read twice.
    constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}};
    for (const auto& [entity, character] : kEntities) {
        for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos;
             at += character.size())
            text.replace(at, entity.size(), character);
    }
    return text;
}

/// What stands between two pieces of a page, escaped as it is.
std::string between(std::string_view page, std::string_view begin, std::string_view end) {
    const std::size_t from = page.find(begin);
    if (from == std::string_view::npos) return "(not there: " + std::string(begin) + ")";
    const std::string_view rest = page.substr(from + begin.size());
    return std::string(rest.substr(0, rest.find(end)));
}

/// Answers with one word, and writes as a title what the test says.
class TitleBackend final : public services::ChatBackend {
  public:
    Result<std::unique_ptr<services::ChatStream>> start(
        const ChatRequest& request, services::ChatEventHandler handler) override {
        const bool title = request.messages.back().content == services::kTitleInstruction;
        if (!request.read_only) handler(chat_event::Text{title ? written_title : "Paris."});
        handler(chat_event::End{});
        return std::make_unique<Nothing>();
    }
    Result<std::int64_t> count_tokens(const ChatRequest&) override { return 1; }
    services::ModelInfo info() const override {
        services::ModelInfo model;
        model.id = model.name = "m";
        model.context_length = 1000;
        return model;
    }
    services::Health health() const override { return {.state = services::HealthState::kReady}; }

    std::string written_title;  ///< Set while nothing runs.

  private:
    class Nothing final : public services::ChatStream {
        void cancel() override {}
    };
};

class Titles : public AppFixture {
  protected:
    /// Every place that shows the title of a conversation, which is `title`.
    void expect_title(const std::string& chat, const std::string& title) {
        const std::string id = chat.substr(6);
        const std::string page = get(chat).body;
        const std::string places[] = {
            between(page, "<title>", " · NotSo"),
            between(page, "<h1 id=\"title\">", "</h1>"),
            between(page, "name=\"title\" value=\"", "\" maxlength"),
            between(page.substr(std::min(page.find("id=\"chat-" + id), page.size())), ">", "</a>")};
        for (const std::string& place : places) {
            EXPECT_EQ(unescaped(place), title);
            EXPECT_EQ(place.find_first_of("<>\"'"), std::string::npos) << place;
        }
        const auto file = boost::json::parse(get(chat + "/export?format=json").body).as_object();
        EXPECT_EQ(std::string(file.at("title").as_string()), title);
        EXPECT_TRUE(get(chat + "/export?format=md").body.starts_with("# " + title + "\n")) << title;
    }
};

TEST_F(Titles, ControlStringsThatPeopleGiveAreText) {
    const std::string sent(post_form("/chat", "message=hi").header("location"));
    const std::string chat = sent.substr(0, sent.find('?'));
    EXPECT_TRUE(get(sent).complete);
    for (const std::string& text : services::control_strings()) {
        const auto renamed = post_form(chat + "/rename", "title=" + form_encoded(text));
        ASSERT_EQ(renamed.header("location"), chat) << text;
        EXPECT_EQ(store_.conversation({services::local_owner(), {chat.substr(6)}})->title, text);
        expect_title(chat, text);
    }
}

class TitlesByAModel : public Titles {
  protected:
    void SetUp() override {
        background_ = true;
        auto backend = std::make_unique<TitleBackend>();
        titles_ = backend.get();
        start_with(std::move(backend));
    }
    TitleBackend* titles_ = nullptr;
};

TEST_F(TitlesByAModel, ControlStringsAreText) {
    for (const std::string& text : services::control_strings()) {
        titles_->written_title = "Paris " + text;
        const boost::json::object said{{"message", "Paris? " + text}};
        const auto answer =
            boost::json::parse(post("/api/chat", boost::json::serialize(said)).body);
        const std::string id(answer.at("conversation").as_string());
        ASSERT_EQ(get("/chat/" + id + "/after").status, 200);
        const auto messages = store_.messages({services::local_owner(), {id}});
        expect_title("/chat/" + id,
                     services::clean_title("Paris " + text, *messages)
                         .value_or(services::make_title("Paris? " + text)));
        ASSERT_EQ(post_form("/chat/" + id + "/delete", "").status, 303);
    }
}

}  // namespace
}  // namespace notso::web

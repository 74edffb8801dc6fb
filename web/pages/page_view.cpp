#include "web/pages/page_view.hpp"

#include <fmt/format.h>

#include <array>
#include <ranges>

#include "base/random.hpp"
#include "web/assets/assets.hpp"
#include "web/pages/context_view.hpp"
#include "web/pages/conversation_view.hpp"
#include "web/pages/files_view.hpp"
#include "web/pages/format.hpp"
#include "web/pages/message_view.hpp"
#include "web/pages/models_view.hpp"
#include "web/pages/thinking_view.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::HealthState;

constexpr std::array<std::string_view, 3> kIdeas = {"Explain gravity to a child",
                                                    "Write a short poem about rain",
                                                    "Give me three ideas for dinner"};

// Each takes some 220 bytes on every page.
constexpr std::size_t kMaxListed = 300;

json::array groups_view(const PageFrame& frame) {
    const Language& language = frame.language;
    json::array groups;
    std::string_view label;
    const UnixMs now = now_ms();
    for (const services::Conversation& conversation :
         frame.conversations | std::views::take(kMaxListed)) {
        const std::string_view day = conversation.pinned
                                         ? language.text("Pinned")
                                         : day_label(language, conversation.updated_at, now);
        if (day != label)
            groups.push_back(json::object{{"label", day}, {"conversations", json::array{}}});
        label = day;
        groups.back().as_object()["conversations"].as_array().push_back(
            json::object{{"id", conversation.id.value},
                         {"title", title_of(language, conversation)},
                         {"current", conversation.id.value == frame.current}});
    }
    return groups;
}

json::array ideas_view(const auto& texts) {
    json::array ideas;
    for (const std::string_view idea : texts) {
        ideas.push_back(json::object{{"text", idea}, {"query", percent_encode(idea)}});
    }
    return ideas;
}

/// What a person could begin with.
json::array starters_view(const Language& language) {
    std::vector<std::string> texts;
    for (const std::string_view idea : kIdeas) texts.emplace_back(language.text(idea));
    return ideas_view(texts);
}

/// The languages to choose from.
json::array languages_view(const Language& shown) {
    json::array view;
    for (const Language* language : Language::all()) {
        view.push_back(json::object{
            {"code", language->code()}, {"name", language->name()}, {"shown", language == &shown}});
    }
    return view;
}

/// @param place  Of its conversation; empty for the next one.
json::object composer_view(const PageFrame& frame, std::string_view place, std::string_view draft) {
    return {{"action", place.empty() ? "/chat" : fmt::format("{}/messages", place)},
            {"draft", draft},
            {"client_id", random_id()},
            {"files_action", frame.takes_files ? fmt::format("{}/files", place) : ""},
            {"files", files_view(frame.language, frame.files)}};
}

/// What the badge calls the model: the file's name, which is what the person chose; names inside
/// files often are those of experiments.
std::string model_name(const Language& language, const services::ModelInfo& model) {
    if (model.scripted || model.id.empty())
        return model.name.empty() ? std::string(language.text("Model")) : model.name;
    std::string name = model.id;
    const std::string suffix = "." + model.file_type;
    if (!model.file_type.empty() && name.ends_with(suffix))
        name.resize(name.size() - suffix.size());
    return name;
}

std::string thinking_reason(const Language& language,
                            const services::ModelInfo& model,
                            const services::Health& health) {
    const bool remote = !model.remote_host.empty();
    if (health.state == HealthState::kLoading)
        return std::string(language.text(remote ? "Known once the server answers."
                                                : "Known once the model is loaded."));
    if (health.state == HealthState::kFailed)
        return std::string(
            language.text(remote ? "The server does not answer." : "No model is loaded."));
    return language.fill("{} has no thinking mode.", model_name(language, model));
}

}  // namespace

std::string theme_of(const Request& request) {
    std::string theme = request.cookie("theme");
    return theme == "light" || theme == "dark" ? theme : std::string();
}

std::string title_of(const Language& language, const services::Conversation& conversation) {
    return conversation.title.empty() ? std::string(language.text("New chat")) : conversation.title;
}

json::array conversations_view(const Language& language,
                               const std::vector<services::Conversation>& conversations) {
    json::array view;
    const UnixMs now = now_ms();
    for (const services::Conversation& conversation : conversations) {
        view.push_back(json::object{{"id", conversation.id.value},
                                    {"title", title_of(language, conversation)},
                                    {"day", day_label(language, conversation.updated_at, now)}});
    }
    return view;
}

json::object model_view(const Language& language,
                        const services::ModelInfo& model,
                        const services::Health& health) {
    json::object view = {{"name", model_name(language, model)},
                         {"file_type", model.file_type},
                         {"can_think", model.can_think},
                         {"scripted", model.scripted},
                         {"remote_host", model.remote_host},
                         {"thinking_reason", thinking_reason(language, model, health)},
                         {"error", ""}};
    switch (health.state) {
        case HealthState::kLoading:
            view["state"] = "loading";
            view["label"] = language.text("Asking the server");
            if (model.remote_host.empty())
                view["percent"] = fmt::format("{:.0f}", health.load_progress * 100);
            break;
        case HealthState::kReady:
            view["state"] = "ready";
            view["label"] = language.text(model.scripted ? "Scripted" : "Ready");
            break;
        case HealthState::kFailed:
            view["state"] = "failed";
            view["label"] = language.text(model.remote_host.empty() ? "Model failed" : "No answer");
            if (model.id == "none") view["name"] = language.text("No model");
            view["error"] = format_sentence(language, health.detail);
            break;
    }
    return view;
}

json::object badge_view(const PageFrame& frame) {
    json::object view = model_view(frame.language, frame.model, frame.health);
    if (frame.on_disk) {
        view["state"] = "unloaded";
        view["label"] = frame.language.text("Not loaded");
    }
    const bool away =
        frame.health.state == HealthState::kFailed && !frame.model.remote_host.empty();
    view["changing"] = away || frame.health.state == HealthState::kLoading;
    view["chosen"] = frame.chosen;
    view["seen"] = fmt::format("{} {} {}",
                               view["state"].as_string().c_str(),
                               frame.model.can_think ? "thinks" : "-",
                               frame.chosen);
    return view;
}

json::object frame_view(const PageFrame& frame) {
    return {{"title", frame.title},
            {"theme", frame.theme},
            {"language", frame.language.code()},
            {"languages", languages_view(frame.language)},
            {"script_texts", frame.language.script_texts()},
            {"assets",
             {{"css", asset_url("app.css")},
              {"js", asset_url("app.js")},
              {"code", asset_url("code.js")},
              {"math", asset_url("math.js")},
              {"icon", asset_url("icon.svg")},
              {"touch_icon", asset_url("icon-192.png")}}},
            {"groups", groups_view(frame)},
            {"own_space", frame.own_space && frame.account.empty()},
            {"account", frame.account},
            {"bare", false},
            {"more_chats", frame.conversations.size() > kMaxListed},
            {"model", badge_view(frame)},
            {"models", models_view(frame.language, frame.models, frame.chosen)},
            {"storage_error", frame.storage_error},
            {"query", ""},
            {"deleted", ""},
            {"temporary", false},
            {"conversation", nullptr},
            {"messages", json::array{}},
            {"earlier", nullptr},
            {"later", ""},
            {"running", nullptr},
            {"after", nullptr},
            {"waiting", nullptr},
            {"context", nullptr},
            {"thinking", false},
            {"budgets", budgets_view(frame.language, std::nullopt, frame.thinking_budget)},
            {"keep_thinking", false},
            {"follow_mark", ""},
            {"alert", ""},
            {"told", ""}};
}

json::object after_view(std::string_view conversation,
                        const std::vector<std::string>& follow_ups,
                        bool loading) {
    return {{"conversation", conversation},
            {"follow_ups", ideas_view(follow_ups)},
            {"loading", loading}};
}

json::value waiting_view(const Language& language,
                         std::string_view conversation,
                         const std::vector<services::WaitingMessage>& waiting) {
    if (waiting.empty()) return nullptr;
    json::array messages;
    for (const services::WaitingMessage& message : waiting) {
        messages.push_back(
            json::object{{"text", message.text},
                         {"files", format_counted(language, message.files.size(), "file")},
                         {"has_files", !message.files.empty()},
                         {"client_id", message.client_id},
                         {"number", messages.size() + 1}});
    }
    return json::object{{"conversation", conversation}, {"messages", std::move(messages)}};
}

json::object new_chat_view(const PageFrame& frame, std::string_view draft) {
    json::object view = frame_view(frame);
    view["ideas"] = starters_view(frame.language);
    view["composer"] = composer_view(frame, "", draft);
    view["budgets"] = budgets_view(frame.language, frame.new_budget, frame.thinking_budget);
    return view;
}

json::object chat_view(const PageFrame& frame,
                       const services::ConversationView& chat,
                       const ChatShown& shown) {
    const auto& [follow, draft, edited, has_earlier, later] = shown;
    json::object view = frame_view(frame);
    const std::string& id = chat.conversation.id.value;
    view["conversation"] = {
        {"id", id}, {"pinned", chat.conversation.pinned}, {"archived", chat.conversation.archived}};
    view["ideas"] = starters_view(frame.language);
    view["composer"] = composer_view(frame, "/chat/" + id, draft);
    if (frame.reads_drafts && frame.model.remote_host.empty())
        view["composer"].as_object()["drafts"] = fmt::format("/chat/{}/draft", id);
    view["thinking"] = chat.conversation.thinking;
    view["budgets"] = budgets_view(
        frame.language, chat.conversation.settings.thinking_budget, frame.thinking_budget);
    const bool running = chat.running && !chat.running->ended();
    if (running && !follow) view["running"] = running_view(frame.language, *chat.running);
    if (follow) view["follow_mark"] = kFollowMark;
    view["after"] = after_view(id, chat.follow_ups, chat.more_follows);
    view["temporary"] = chat.conversation.temporary;
    view["waiting"] = waiting_view(frame.language, id, chat.waiting);
    view["context"] = context_view(frame.language, chat.context, id);
    json::array messages = message_views(frame.language, chat, edited);
    if (follow && running && !messages.empty()) messages.pop_back();  // it is written there
    view["messages"] = std::move(messages);
    if (has_earlier) view["earlier"] = earlier_view(chat);
    view["later"] = later;
    return view;
}

json::object trouble_view(const PageFrame& frame, const Trouble& trouble) {
    json::object view = frame_view(frame);
    view["trouble"] = {{"heading", trouble.heading},
                       {"text", trouble.text},
                       {"kept", trouble.kept},
                       {"back", trouble.back},
                       {"icon", trouble.icon}};
    return view;
}

}  // namespace notso::web

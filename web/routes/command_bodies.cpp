// What each slash command of the page does.
#include <algorithm>

#include "base/utf8.hpp"
#include "services/commands/named_models.hpp"
#include "services/settings/owner_presets.hpp"
#include "web/routes/client_user.hpp"
#include "web/routes/command_scene.hpp"
#include "web/routes/fragments.hpp"
#include "web/routes/settings.hpp"
#include "web/routes/settings_forms.hpp"

namespace notso::web {
namespace {

using services::ChatSettings;
using services::Completion;
using services::Conversation;
using services::ConversationKey;
using services::ConversationView;
using services::SlashCommand;
using Outcome = Result<CommandOutcome>;

constexpr std::size_t kShownNameBytes = 80;

template <class T>
Outcome done_or_error(const Result<T>& result, CommandOutcome outcome = {}) {
    if (!result) return std::unexpected(result.error());
    return outcome;
}

/// A command that says nothing but where to go.
Outcome gone_to(std::string path) { return CommandOutcome{.go_to = std::move(path)}; }

Awaitable<Result<Conversation>> begin_chat(const CommandScene& scene) {
    auto start = [&scene](Completion<Conversation> done) {
        services::ChatService& service = scene.service();
        if (scene.temporary) return service.create_temporary(scene.request.owner, std::move(done));
        service.create_conversation(scene.request.owner, std::move(done));
    };
    co_return co_await wait_for<Conversation>(start);
}

/// The chat of the scene; where none is begun yet, it is now.
Awaitable<Result<Conversation>> need_chat(CommandScene& scene) {
    if (scene.chat) co_return scene.chat->conversation;
    Result<Conversation> made = co_await begin_chat(scene);
    if (made) scene.chat = ConversationView{.conversation = *made, .messages = {}, .running = {}};
    co_return made;
}

/// The newest answer. @errors kInvalidArgument: there is none.
Result<services::Message> last_answer(const CommandScene& scene) {
    if (scene.chat && !scene.chat->messages.empty()) {
        const services::Message& last = scene.chat->messages.back();
        if (last.role == services::MessageRole::kAssistant && last.parent) return last;
    }
    return fail(ErrorCode::kInvalidArgument,
                "{}",
                scene.language().text("There is no answer in this chat yet."));
}

Awaitable<Outcome> set_thinking(CommandScene& scene, bool on) {
    const auto chat = co_await need_chat(scene);
    if (!chat) co_return std::unexpected(chat.error());
    const auto model = scene.pages.context().backend.find_model(chat->model);
    if (on && model && !model->can_think) {
        co_return fail(ErrorCode::kUnsupported,
                       "{}",
                       scene.language().text("The model of this chat has no thinking mode."));
    }
    auto start = [&scene, &chat, on](Completion<Conversation> done) {
        scene.service().set_thinking(chat->key(), on, std::move(done));
    };
    const auto changed = co_await wait_for<Conversation>(start);
    co_return done_or_error(changed, {.go_to = told_path(chat->key(), scene.line.name)});
}

Awaitable<Result<Conversation>> store(const CommandScene& scene,
                                      const ConversationKey& key,
                                      const ChatSettings& settings) {
    auto start = [&](Completion<Conversation> done) {
        scene.service().set_settings(key, settings, std::move(done));
    };
    co_return co_await wait_for<Conversation>(start);
}

/// Of a number or the system prompt; the value is checked before a chat is begun for it.
Awaitable<Outcome> set_value(CommandScene& scene, std::string_view name) {
    const auto limits = scene.service().setting_limits();
    ChatSettings values;
    if (scene.chat) values = scene.chat->conversation.settings;
    const auto* number = services::find_number_setting(name);
    const auto apply = [&](ChatSettings& to) {
        return number != nullptr ? set_number(*number, scene.line.argument, limits, to)
                                 : services::set_system_prompt(scene.line.argument, to);
    };
    Result<> ok = apply(values);
    if (!ok) co_return std::unexpected(ok.error());
    const bool is_new = !scene.chat;
    const auto chat = co_await need_chat(scene);
    if (!chat) co_return std::unexpected(chat.error());
    values = chat->settings;
    ok = apply(values);
    if (!ok) co_return std::unexpected(ok.error());
    const auto changed = co_await store(scene, chat->key(), values);
    if (changed) scene.chat->conversation = *changed;
    const bool shown_elsewhere = is_new || name == "thinking_budget";
    co_return done_or_error(
        changed,
        {.go_to = shown_elsewhere ? told_path(chat->key(), scene.line.name) : std::string()});
}

/// By its id, or by any part of it that only one has.
Result<std::string> find_model_named(const CommandScene& scene, const std::string& name) {
    const auto named = services::models_named(scene.pages.context().backend.models(), name);
    if (named.id) return *named.id;
    const std::string_view shown = truncate_utf8(name, kShownNameBytes);
    const std::string words =
        named.similar.empty()
            ? scene.language().fill(
                  "No model is called “{}”. There are: {}", shown, services::id_list(named.all))
            : scene.language().fill("More than one model is called “{}”: {}",
                                    shown,
                                    services::id_list(named.similar));
    return fail(ErrorCode::kInvalidArgument, "{}", words);
}

Awaitable<Outcome> choose_model(CommandScene& scene) {
    if (scene.line.argument.empty()) {
        if (!scene.chat) co_return gone_to("/models");
        co_return CommandOutcome{};
    }
    const auto id = find_model_named(scene, scene.line.argument);
    if (!id) co_return std::unexpected(id.error());
    const auto chat = co_await need_chat(scene);
    if (!chat) co_return std::unexpected(chat.error());
    auto start = [&](Completion<Conversation> done) {
        scene.service().set_model(chat->key(), *id, std::move(done));
    };
    const auto changed = co_await wait_for<Conversation>(start);
    co_return done_or_error(changed, {.go_to = told_path(chat->key(), scene.line.name)});
}

/// A new chat with the settings, the model and the switch of this one, which stays.
Awaitable<Outcome> begin_again(CommandScene& scene) {
    if (!scene.chat) co_return gone_to("/");
    const Conversation old = scene.chat->conversation;
    const auto made = co_await begin_chat(scene);
    if (!made) co_return std::unexpected(made.error());
    auto changed = co_await store(scene, made->key(), old.settings);
    auto model = [&](Completion<Conversation> done) {
        scene.service().set_model(made->key(), old.model, std::move(done));
    };
    if (changed && !old.model.empty()) changed = co_await wait_for<Conversation>(model);
    auto thinking = [&](Completion<Conversation> done) {
        scene.service().set_thinking(made->key(), old.thinking, std::move(done));
    };
    if (changed && old.thinking) changed = co_await wait_for<Conversation>(thinking);
    co_return done_or_error(changed, {.go_to = told_path(made->key(), scene.line.name)});
}

Awaitable<Outcome> clear(CommandScene& scene) {
    if (!scene.chat) co_return gone_to("/");
    const ConversationKey key = scene.chat->conversation.key();
    auto start = [&](Completion<> done) { scene.service().remove(key, std::move(done)); };
    const Result<> removed = co_await wait_for<void>(start);
    co_return done_or_error(removed, {.go_to = "/?deleted=" + key.id.value});
}

/// After something that has the model write.
Outcome writing(const CommandScene& scene, const Result<services::SentMessage>& sent) {
    const ConversationKey key = scene.chat->conversation.key();
    const std::string path = told_path(key, scene.line.name);
    return done_or_error(sent, {.go_to = scene.request.is_htmx() ? path : path + "&follow=1"});
}

Awaitable<Outcome> regenerate(CommandScene& scene) {
    const auto answer = last_answer(scene);
    if (!answer) co_return std::unexpected(answer.error());
    const ConversationKey key = scene.chat->conversation.key();
    const Result<> ready = co_await check_ready(scene.pages, key);
    if (!ready) co_return std::unexpected(ready.error());
    auto start = [&](Completion<services::SentMessage> done) {
        scene.service().regenerate({.conversation = key,
                                    .question = *answer->parent,
                                    .answer = answer->id,
                                    .user = client_user(scene.request)},
                                   std::move(done));
    };
    co_return writing(scene, co_await wait_for<services::SentMessage>(start));
}

Awaitable<Outcome> go_on_writing(CommandScene& scene) {
    const auto answer = last_answer(scene);
    if (!answer) co_return std::unexpected(answer.error());
    const ConversationKey key = scene.chat->conversation.key();
    const Result<> ready = co_await check_ready(scene.pages, key);
    if (!ready) co_return std::unexpected(ready.error());
    auto start = [&](Completion<services::SentMessage> done) {
        scene.service().continue_answer(
            {.conversation = key, .answer = answer->id, .user = client_user(scene.request)},
            std::move(done));
    };
    co_return writing(scene, co_await wait_for<services::SentMessage>(start));
}

Awaitable<Outcome> compact(CommandScene& scene) {
    const auto answer = last_answer(scene);
    if (!answer) co_return std::unexpected(answer.error());
    const ConversationKey key = scene.chat->conversation.key();
    const Result<> ready = co_await check_ready(scene.pages, key);
    if (!ready) co_return std::unexpected(ready.error());
    auto start = [&](Completion<> done) {
        scene.service().compact({key, client_user(scene.request)}, std::move(done));
    };
    const Result<> compacted = co_await wait_for<void>(start);
    co_return done_or_error(compacted, {.go_to = told_path(key, "compact")});
}

Awaitable<Outcome> choose_theme(CommandScene& scene) {
    const auto theme = services::parse_theme(scene.line.argument);
    if (!theme) co_return std::unexpected(theme.error());
    services::SettingsDesk::Edit edit = [theme](services::OwnerSettings& own) -> Result<> {
        own.theme = *theme;
        return {};
    };
    const auto changed =
        co_await change_owner_settings(scene.pages, scene.request.owner, std::move(edit));
    const std::string path =
        scene.chat ? told_path(scene.chat->conversation.key(), scene.line.name) : "/";
    co_return done_or_error(changed, {.go_to = path, .headers = {theme_cookie(*theme)}});
}

Outcome export_file(const CommandScene& scene) {
    const auto answer = last_answer(scene);
    if (!answer) return std::unexpected(answer.error());
    const std::string format = scene.line.argument.empty() ? "md" : scene.line.argument;
    if (format != "md" && format != "json") {
        return fail(ErrorCode::kInvalidArgument,
                    "{}",
                    scene.language().text("A chat is saved as md (Markdown) or json."));
    }
    return gone_to(
        fmt::format("/chat/{}/export?format={}", scene.chat->conversation.id.value, format));
}

/// What tells something about a chat, and changes nothing.
Outcome tell(const CommandScene& scene) {
    if (scene.chat) return CommandOutcome{};
    return fail(ErrorCode::kInvalidArgument,
                "{}",
                scene.language().text("There is no answer in this chat yet."));
}

}  // namespace

std::string told_path(const ConversationKey& key, std::string_view did) {
    return fmt::format("/chat/{}?did={}", key.id.value, did);
}

Awaitable<Result<CommandOutcome>> do_command(CommandScene& scene) {
    switch (scene.line.command) {
        case SlashCommand::kNew:
            co_return gone_to("/");
        case SlashCommand::kClear:
            co_return co_await clear(scene);
        case SlashCommand::kReset:
            co_return co_await begin_again(scene);
        case SlashCommand::kExport:
            co_return export_file(scene);
        case SlashCommand::kThink:
            co_return co_await set_thinking(scene, true);
        case SlashCommand::kNoThink:
            co_return co_await set_thinking(scene, false);
        case SlashCommand::kBudget:
            co_return co_await set_value(scene, "thinking_budget");
        case SlashCommand::kTemperature:
            co_return co_await set_value(scene, "temperature");
        case SlashCommand::kSystem:
            co_return co_await set_value(scene, services::kSystemPromptName);
        case SlashCommand::kModel:
            co_return co_await choose_model(scene);
        case SlashCommand::kTools:
            co_return gone_to("/tools");
        case SlashCommand::kCompact:
            co_return co_await compact(scene);
        case SlashCommand::kContinue:
            co_return co_await go_on_writing(scene);
        case SlashCommand::kRegenerate:
            co_return co_await regenerate(scene);
        case SlashCommand::kStats:
        case SlashCommand::kStatus:
            co_return tell(scene);
        case SlashCommand::kTheme:
            co_return co_await choose_theme(scene);
        case SlashCommand::kSettings:
            co_return gone_to(
                scene.chat ? fmt::format("/chat/{}/settings", scene.chat->conversation.id.value)
                           : "/settings");
        case SlashCommand::kHelp:
        case SlashCommand::kAttach:
        case SlashCommand::kLeave:
            co_return gone_to("/help");
    }
    co_return gone_to("/help");
}

}  // namespace notso::web

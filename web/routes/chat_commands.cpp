#include "web/routes/chat_commands.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "services/template/markdown.hpp"
#include "web/middleware/error_mapping.hpp"
#include "web/pages/answer_painter.hpp"
#include "web/pages/format.hpp"
#include "web/routes/command_scene.hpp"
#include "web/routes/file_forms.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

using services::ConversationView;
using services::SlashCommand;

constexpr std::size_t kToldPromptBytes = 300;

std::string paragraph(std::string_view text, std::string_view attribute = "") {
    return fmt::format("<p{}>{}</p>", attribute, services::escape_html(text));
}

std::string told_of_budget(const Language& language, const services::ChatSettings& settings) {
    if (!settings.thinking_budget)
        return std::string(language.text("Thoughts may be as long as usual."));
    if (*settings.thinking_budget == 0)
        return std::string(language.text("Thoughts may be as long as the model likes."));
    return language.fill("Thoughts may take {} at most.",
                         format_counted(language, *settings.thinking_budget, "token"));
}

std::string told_of_temperature(const Language& language, const services::ChatSettings& settings) {
    if (!settings.temperature)
        return std::string(language.text("The temperature is the model’s own."));
    return language.fill("The temperature is {}.", *settings.temperature);
}

std::string told_of_prompt(const Language& language, const services::ChatSettings& settings) {
    const std::string& prompt = settings.system_prompt;
    if (prompt.empty()) return std::string(language.text("There is no system prompt."));
    const std::string_view cut = truncate_utf8(prompt, kToldPromptBytes);
    return language.fill(
        "The system prompt is: “{}{}”", cut, cut.size() < prompt.size() ? "…" : "");
}

std::string told_of_model(const PageFrame& frame) {
    std::string others;
    for (const services::ModelEntry& model : frame.models) {
        if (model.info.id == frame.model.id) continue;
        others += (others.empty() ? "" : ", ") + model.info.id;
    }
    if (others.empty()) return frame.language.fill("This chat is answered by {}.", frame.model.id);
    return frame.language.fill(
        "This chat is answered by {}. There are also: {}", frame.model.id, others);
}

std::string told_of_stats(const Language& language, const ConversationView& chat) {
    const auto last = std::ranges::find_if(
        chat.messages.rbegin(), chat.messages.rend(), [](const services::Message& message) {
            return message.stats.completion_tokens > 0;
        });
    if (last == chat.messages.rend())
        return std::string(language.text("There is no answer in this chat yet."));
    const services::MessageStats& stats = last->stats;
    std::string told =
        language.fill("The last answer: prompt {}, {} of them known already; {} written",
                      format_counted(language, stats.prompt_tokens, "token"),
                      format_count(language, stats.cached_tokens),
                      format_count(language, stats.completion_tokens));
    if (stats.tokens_per_second > 0) told += ", " + format_rate(language, stats.tokens_per_second);
    if (stats.first_token_ms > 0)
        told += ", " + language.fill("the first after {}",
                                     format_duration(language, stats.first_token_ms));
    return told + ".";
}

std::string told_of_status(const PageFrame& frame, const ConversationView& chat) {
    const Language& language = frame.language;
    const boost::json::object model = model_view(language, frame.model, frame.health);
    std::string told = fmt::format("{}: {}.",
                                   std::string_view(model.at("name").as_string()),
                                   std::string_view(model.at("label").as_string()));
    const bool writes = chat.running && !chat.running->ended();
    told += fmt::format(" {}",
                        language.text(writes ? "An answer is being written in this chat."
                                             : "Nothing is being written in this chat."));
    if (chat.context.budget > 0) {
        const std::int64_t percent =
            std::min<std::int64_t>(chat.context.used * 100 / chat.context.budget, 100);
        told += " " + language.fill("The context is {} % full.", percent);
    }
    return told;
}

std::string told_of_theme(const PageFrame& frame) {
    if (frame.theme == "dark") return std::string(frame.language.text("The colours are dark."));
    if (frame.theme == "light") return std::string(frame.language.text("The colours are light."));
    return std::string(frame.language.text("The colours are as the system’s."));
}

/// The text stays in the composer, and what keeps it from being done is said above it.
Awaitable<> refuse(Exchange& exchange,
                   const Pages& pages,
                   const CommandScene& scene,
                   RefusedCommand refused) {
    const std::string words = format_sentence(scene.language(), refused.error.detail);
    Response response;
    if (exchange.request().is_htmx()) {
        // Status 200, or htmx would leave out the words.
        response.body = partial("told", "innerHTML", "") +
                        partial("alert", "innerHTML", paragraph(words, " data-refused"));
        co_await exchange.respond(std::move(response));
        co_return;
    }
    const Language& language = scene.language();
    std::string title(scene.chat ? title_of(language, scene.chat->conversation)
                                 : std::string(language.text("New chat")));
    PageFrame frame = co_await pages.frame(exchange.request(), std::move(title));
    boost::json::object view;
    if (scene.chat) {
        frame.current = scene.chat->conversation.id.value;
        Pages::show_model(frame, scene.chat->conversation.model);
        view = chat_view(frame, *scene.chat, {.draft = refused.text});
    } else {
        view = new_chat_view(frame, refused.text);
        view["temporary"] = scene.temporary;
    }
    view["alert"] = words;
    response.status = http_status(refused.error.code);
    response.body = co_await pages.render(exchange.request(), "chat.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

/// To where the command leads.
Awaitable<> lead(Exchange& exchange, CommandOutcome outcome) {
    Response response;
    if (exchange.request().is_htmx()) {
        response.headers.push_back({"HX-Redirect", outcome.go_to});
    } else {
        response = see_other(outcome.go_to);
    }
    for (Header& header : outcome.headers) response.headers.push_back(std::move(header));
    co_await exchange.respond(std::move(response));
}

/// The chat stays as it is shown.
Awaitable<> tell_in_place(Exchange& exchange, const Pages& pages, const CommandScene& scene) {
    const auto now = co_await open_conversation(pages, scene.chat->conversation.key());
    PageFrame frame = pages.bare_frame(exchange.request(), "");
    Pages::show_model(frame, scene.chat->conversation.model);
    const std::string words = told_of_command(scene.line.name, frame, now ? *now : *scene.chat);
    Response response;
    response.body =
        partial("alert", "innerHTML", "") + partial("told", "innerHTML", paragraph(words));
    co_await exchange.respond(std::move(response));
}

}  // namespace

bool is_command(const Form& form) {
    return services::is_slash_line(with_unix_lines(field(form, "message")));
}

Awaitable<> run_command(Exchange& exchange, const Pages& pages, const Form& form) {
    std::string text = with_unix_lines(field(form, "message"));
    CommandScene scene{.request = exchange.request(), .pages = pages, .line = {}};
    if (exchange.request().params.contains("id")) {
        auto chat = co_await open_conversation(pages, conversation_of(exchange.request()));
        if (!chat) {
            co_await pages.show_error(exchange, chat.error(), std::move(text));
            co_return;
        }
        scene.chat = *std::move(chat);
    }
    scene.temporary = scene.chat ? scene.chat->conversation.temporary : form.contains("temporary");
    auto line = services::parse_slash_line(text, services::SlashPlace::kPage);
    // They lie in the composer of new chats, which the page that follows does not have.
    if (line && !scene.chat && !files_of(form).empty())
        line = fail(
            ErrorCode::kInvalidArgument,
            "{}",
            scene.language().text("Files go with a message: send them first, or take them out."));
    Result<CommandOutcome> outcome = CommandOutcome{};
    if (!line) outcome = std::unexpected(line.error());
    if (line) {
        scene.line = *line;
        outcome = co_await do_command(scene);
    }
    if (!outcome) {
        RefusedCommand refused{std::move(text), outcome.error()};
        co_await refuse(exchange, pages, scene, std::move(refused));
        co_return;
    }
    const bool stays = outcome->go_to.empty();
    if (stays && exchange.request().is_htmx()) {
        co_await tell_in_place(exchange, pages, scene);
        co_return;
    }
    if (stays) outcome->go_to = told_path(scene.chat->conversation.key(), scene.line.name);
    co_await lead(exchange, *std::move(outcome));
}

std::string told_of_command(std::string_view did,
                            const PageFrame& frame,
                            const ConversationView& chat) {
    const Language& language = frame.language;
    const services::ChatSettings& settings = chat.conversation.settings;
    const auto entries = services::slash_entries();
    const auto entry = std::ranges::find(entries, did, &services::SlashEntry::name);
    if (entry == entries.end()) return {};
    switch (entry->command) {
        case SlashCommand::kThink:
        case SlashCommand::kNoThink:
            return std::string(
                language.text(chat.conversation.thinking ? "Thinking is on." : "Thinking is off."));
        case SlashCommand::kBudget:
            return told_of_budget(language, settings);
        case SlashCommand::kTemperature:
            return told_of_temperature(language, settings);
        case SlashCommand::kSystem:
            return told_of_prompt(language, settings);
        case SlashCommand::kModel:
            return told_of_model(frame);
        case SlashCommand::kReset:
            return std::string(language.text("A new chat, with the settings of the one before."));
        case SlashCommand::kCompact:
            return language.fill("Summarised for the model: {}. The chat shows them as before.",
                                 format_counted(language, chat.context.summarised, "message"));
        case SlashCommand::kRegenerate:
            return std::string(language.text("Another answer was asked for."));
        case SlashCommand::kContinue:
            return std::string(language.text("The answer goes on."));
        case SlashCommand::kStats:
            return told_of_stats(language, chat);
        case SlashCommand::kStatus:
            return told_of_status(frame, chat);
        case SlashCommand::kTheme:
            return told_of_theme(frame);
        default:
            return {};
    }
}

}  // namespace notso::web

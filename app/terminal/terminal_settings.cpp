#include "app/terminal/terminal_settings.hpp"

#include <algorithm>
#include <cstdlib>

#include "app/answer.hpp"
#include "base/utf8.hpp"
#include "services/commands/named_models.hpp"
#include "services/settings/setting_fields.hpp"
#include "web/http/url.hpp"

namespace notso::app {
namespace {

namespace fs = std::filesystem;
using services::ChatSettings;
using services::NumberSetting;
using services::SlashCommand;

constexpr std::size_t kShownNameBytes = 80;

std::string number_words(const NumberSetting& setting, const ChatSettings& values) {
    const std::string text = text_of(setting, values);
    return fmt::format("{}: {}\n", setting.label, text.empty() ? "the model's own" : text);
}

std::string prompt_words(const ChatSettings& values) {
    if (values.system_prompt.empty()) return "System prompt: none\n";
    return fmt::format("System prompt: {}\n", terminal_safe(values.system_prompt));
}

Result<std::string> change_number(std::string_view name,
                                  const services::SlashLine& line,
                                  const services::ModelInfo& model,
                                  ChatSettings& settings) {
    const NumberSetting& setting = *services::find_number_setting(name);
    NOTSO_CHECK(set_number(setting, line.argument, {.context = model.context_length}, settings));
    return number_words(setting, settings);
}

std::string place_words(const services::ModelEntry& model) {
    if (!model.info.remote_host.empty()) return ", at " + model.info.remote_host;
    switch (model.place) {
        case services::ModelPlace::kOnDisk:
            return "";
        case services::ModelPlace::kLoading:
            return fmt::format(", loading {:.0f} %", 100 * model.load_progress);
        case services::ModelPlace::kReady:
            return ", in memory";
        case services::ModelPlace::kFailed:
            return ", can't be loaded: " + model.detail;
    }
    return "";
}

}  // namespace

std::string slash_help() {
    std::string help;
    for (const services::SlashEntry& entry : services::slash_entries()) {
        if (!entry.is_at(services::SlashPlace::kTerminal)) continue;
        const std::string typed =
            fmt::format("/{}{}{}", entry.name, entry.argument.empty() ? "" : " ", entry.argument);
        help += fmt::format("{:<20} {}\n", typed, entry.about);
    }
    return help + R"(
//                   at the beginning: a message that begins with a slash
\                    at the end: the message goes on in the next line, as after Alt-Enter
""" … """            everything between them is one message; so is a text that is pasted
Ctrl-C               stop the answer; at the prompt, twice: leave
Ctrl-\               end the thoughts: the answer comes now
Up, Down, Ctrl-R     what was typed before
)";
}

Result<std::string> change_settings(const services::SlashLine& line,
                                    const services::ModelInfo& model,
                                    ChatSettings& settings) {
    if (line.command == SlashCommand::kBudget)
        return change_number("thinking_budget", line, model, settings);
    if (line.command == SlashCommand::kTemperature)
        return change_number("temperature", line, model, settings);
    NOTSO_CHECK(services::set_system_prompt(line.argument, settings));
    return prompt_words(settings);
}

std::string settings_words(const services::Conversation& conversation) {
    std::string all = prompt_words(conversation.settings);
    for (const std::string_view name : {"temperature", "thinking_budget"})
        all += number_words(*services::find_number_setting(name), conversation.settings);
    return all + (conversation.thinking ? "Thinking on.\n" : "Thinking off.\n");
}

std::string stats_words(const services::ConversationView& view) {
    const auto last = std::find_if(
        view.messages.rbegin(), view.messages.rend(), [](const services::Message& message) {
            return message.stats.completion_tokens > 0;
        });
    if (last == view.messages.rend()) return "There is no answer yet.\n";
    const services::MessageStats& stats = last->stats;
    std::string words =
        fmt::format("The last answer: prompt {} tokens, {} of them known already; {} written",
                    stats.prompt_tokens,
                    stats.cached_tokens,
                    stats.completion_tokens);
    if (stats.tokens_per_second > 0)
        words += fmt::format(", {:.1f} tokens/s", stats.tokens_per_second);
    if (stats.first_token_ms > 0)
        words += fmt::format(", the first after {:.0f} ms", stats.first_token_ms);
    return words + ".\n";
}

std::string status_words(const services::ModelInfo& model, const services::ContextUse& context) {
    std::string words = fmt::format("{}: ready.", terminal_safe(model.name));
    if (context.budget > 0) {
        words += fmt::format(" The context is {} % full.",
                             std::min<std::int64_t>(context.used * 100 / context.budget, 100));
    }
    if (context.summarised > 0)
        words += fmt::format(" {} messages are summarised.", context.summarised);
    return words + "\n";
}

std::string model_words(std::span<const services::ModelEntry> models, const std::string& current) {
    std::string words;
    for (const services::ModelEntry& model : models) {
        words += model.info.id == current ? "* " : "  ";
        words += model.info.id;
        if (model.file_bytes > 0)
            words += fmt::format(", {:.1f} GB", static_cast<double>(model.file_bytes) / 1e9);
        words += place_words(model) + "\n";
    }
    return terminal_safe(words);
}

Result<std::string> model_named(std::span<const services::ModelEntry> models,
                                const std::string& name) {
    const auto named = services::models_named(models, name);
    if (named.id) return *named.id;
    const bool none = named.similar.empty();
    return fail(ErrorCode::kInvalidArgument,
                "{} is called {}{}",
                none ? "No model" : "More than one model",
                truncate_utf8(name, kShownNameBytes),
                none ? ". There are: " + services::id_list(named.all)
                     : ": " + services::id_list(named.similar));
}

ExportTarget export_target(const std::string& argument) {
    if (argument.empty() || web::to_lower(argument) == "md") return {.path = "chat.md"};
    if (web::to_lower(argument) == "json")
        return {.path = "chat.json", .format = services::ArchiveFormat::kJson};
    ExportTarget target{.path = typed_path(argument), .is_named = true};
    if (web::to_lower(target.path.extension().string()) == ".json")
        target.format = services::ArchiveFormat::kJson;
    return target;
}

fs::path numbered(const fs::path& path, int number) {
    return fmt::format("{}-{}{}", path.stem().string(), number, path.extension().string());
}

fs::path typed_path(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    text = text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
    const bool quoted = text.size() > 1 && text.front() == text.back() &&
                        (text.front() == '"' || text.front() == '\'');
    if (quoted) return text.substr(1, text.size() - 2);
    const char* home = std::getenv("HOME");
    if (text.starts_with("~/") && home != nullptr) return fs::path(home) / text.substr(2);
    return text;
}

}  // namespace notso::app

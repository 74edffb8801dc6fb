#include "app/terminal_settings.hpp"

#include <algorithm>

#include "services/settings/setting_fields.hpp"

namespace notso::app {
namespace {

using services::ChatSettings;
using services::NumberSetting;
using services::SlashCommand;

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
                                  TerminalSettings& settings) {
    const NumberSetting& setting = *services::find_number_setting(name);
    NOTSO_CHECK(
        set_number(setting, line.argument, {.context = model.context_length}, settings.values));
    return number_words(setting, settings.values);
}

std::string all_words(const TerminalSettings& settings) {
    std::string all = prompt_words(settings.values);
    for (const std::string_view name : {"temperature", "thinking_budget"})
        all += number_words(*services::find_number_setting(name), settings.values);
    return all + (settings.thinking ? "Thinking on.\n" : "Thinking off.\n");
}

}  // namespace

std::string slash_help() {
    std::string help;
    for (const services::SlashEntry& entry : services::slash_entries()) {
        if (!entry.is_at(services::SlashPlace::kTerminal)) continue;
        const std::string typed =
            fmt::format("/{}{}{}", entry.name, entry.argument.empty() ? "" : " ", entry.argument);
        help += fmt::format("{:<14} {}\n", typed, entry.about);
    }
    return help +
           "Ctrl-C         stop the answer; at the prompt, twice: leave\n"
           "//             at the beginning: a message that begins with a slash\n";
}

Result<std::string> change_settings(const services::SlashLine& line,
                                    const services::ModelInfo& model,
                                    TerminalSettings& settings) {
    switch (line.command) {
        case SlashCommand::kThink:
            if (!model.can_think)
                return fail(ErrorCode::kUnsupported, "This model has no thinking mode.");
            settings.thinking = true;
            return "Thinking on.\n";
        case SlashCommand::kNoThink:
            settings.thinking = false;
            return "Thinking off.\n";
        case SlashCommand::kBudget:
            return change_number("thinking_budget", line, model, settings);
        case SlashCommand::kTemperature:
            return change_number("temperature", line, model, settings);
        case SlashCommand::kSystem:
            NOTSO_CHECK(services::set_system_prompt(line.argument, settings.values));
            return prompt_words(settings.values);
        default:
            return all_words(settings);
    }
}

std::string stats_words(const std::optional<Answer>& answer) {
    if (!answer) return "There is no answer yet.\n";
    const services::ChatUsage& usage = answer->end.usage;
    std::string words =
        fmt::format("The last answer: prompt {} tokens, {} of them known already; {} written",
                    usage.prompt_tokens,
                    usage.cached_tokens,
                    usage.completion_tokens);
    if (usage.decode_ms > 0 && usage.completion_tokens > 0) {
        const double rate = 1000.0 * static_cast<double>(usage.completion_tokens) / usage.decode_ms;
        words += fmt::format(", {:.1f} tokens/s", rate);
    }
    if (answer->first_token_ms > 0)
        words += fmt::format(", the first after {:.0f} ms", answer->first_token_ms);
    return words + ".\n";
}

std::string status_words(const services::ModelInfo& model, const std::optional<Answer>& answer) {
    std::string words = fmt::format("{}: ready.", terminal_safe(model.name));
    if (answer && model.context_length > 0) {
        const services::ChatUsage& usage = answer->end.usage;
        const std::int64_t used =
            usage.prompt_tokens + usage.completion_tokens - usage.reasoning_tokens;
        words += fmt::format(" The context is {} % full.",
                             std::min<std::int64_t>(used * 100 / model.context_length, 100));
    }
    return words + "\n";
}

}  // namespace notso::app

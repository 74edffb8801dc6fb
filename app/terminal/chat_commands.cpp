// TerminalChat: what slash commands do.
#include <filesystem>
#include <system_error>

#include "app/answer.hpp"
#include "app/terminal/chat.hpp"
#include "app/terminal/terminal_settings.hpp"

namespace notso::app {
namespace {

namespace fs = std::filesystem;
using services::ConversationView;
using services::SlashCommand;

constexpr int kMostNumbers = 1000;  // chat.md, chat-2.md, … that are tried

/// What is attached, a line each.
std::string file_words(const std::vector<services::AttachedFile>& files) {
    if (files.empty()) return "Nothing is attached: /attach FILE\n";
    std::string words;
    for (const services::AttachedFile& file : files)
        words += fmt::format("{} ({} bytes of text)\n", terminal_safe(file.name), file.text_bytes);
    return words + "They go with the next message; /attach none takes them back.\n";
}

}  // namespace

TerminalChat::Verdict TerminalChat::command(const std::string& text) {
    const auto line = services::parse_slash_line(text, services::SlashPlace::kTerminal);
    if (line && line->command == SlashCommand::kLeave) return Verdict::kLeave;
    const Result<> done = line ? run(*line) : Result<>(std::unexpected(line.error()));
    if (!done) refuse(done.error());
    return Verdict::kGoOn;
}

Result<> TerminalChat::run(const services::SlashLine& line) {
    switch (line.command) {
        case SlashCommand::kNew:
        case SlashCommand::kClear:
            return start_over(false);
        case SlashCommand::kReset:
            return start_over(true);
        case SlashCommand::kAttach:
            return attach(line.argument);
        case SlashCommand::kRegenerate:
            write(deps_.session.regenerate());
            return {};
        case SlashCommand::kContinue:
            write(deps_.session.resume());
            return {};
        case SlashCommand::kCompact:
            return compact();
        case SlashCommand::kExport:
            return export_chat(line.argument);
        default:
            return change(line);
    }
}

Result<> TerminalChat::change(const services::SlashLine& line) {
    switch (line.command) {
        case SlashCommand::kThink:
            return set_thinking(true);
        case SlashCommand::kNoThink:
            return set_thinking(false);
        case SlashCommand::kModel:
            return choose_model(line.argument);
        case SlashCommand::kBudget:
        case SlashCommand::kTemperature:
        case SlashCommand::kSystem: {
            NOTSO_TRY(ConversationView view, deps_.session.view());
            NOTSO_TRY(const services::ModelInfo model, deps_.session.model());
            services::ChatSettings& settings = view.conversation.settings;
            NOTSO_TRY(const std::string words, change_settings(line, model, settings));
            NOTSO_CHECK(deps_.session.set_settings(settings));
            deps_.screen.say(words);
            return {};
        }
        default:
            return tell(line);
    }
}

/// Commands that change nothing.
Result<> TerminalChat::tell(const services::SlashLine& line) {
    NOTSO_TRY(const ConversationView view, deps_.session.view());
    NOTSO_TRY(const services::ModelInfo model, deps_.session.model());
    std::string words;
    switch (line.command) {
        case SlashCommand::kStats:
            words = stats_words(view);
            break;
        case SlashCommand::kStatus:
            words = status_words(model, view.context);
            break;
        case SlashCommand::kTools: {
            NOTSO_TRY(words, tool_names());
            break;
        }
        case SlashCommand::kSettings:
            words = settings_words(view.conversation);
            break;
        default:
            words = slash_help();
    }
    deps_.screen.say(words);
    return {};
}

Result<> TerminalChat::start_over(bool keep_settings) {
    NOTSO_TRY(const ConversationView view, deps_.session.view());
    const services::Conversation& old = view.conversation;
    const SessionStart same{.settings = old.settings, .thinking = old.thinking, .model = old.model};
    NOTSO_CHECK(deps_.session.begin(keep_settings ? same : deps_.start));
    left_out_ = 0;
    warned_ = false;
    deps_.screen.say(keep_settings ? "New conversation, with the same settings.\n"
                                   : "New conversation.\n");
    return {};
}

Result<> TerminalChat::set_thinking(bool on) {
    NOTSO_TRY(const services::ModelInfo model, deps_.session.model());
    if (on && !model.can_think)
        return fail(ErrorCode::kUnsupported, "This model has no thinking mode.");
    NOTSO_CHECK(deps_.session.set_thinking(on));
    deps_.screen.say(on ? "Thinking on.\n" : "Thinking off.\n");
    return {};
}

Result<> TerminalChat::choose_model(const std::string& name) {
    const auto models = deps_.backend.models();
    NOTSO_TRY(const services::ModelInfo current, deps_.session.model());
    if (name.empty()) {
        deps_.screen.say(model_words(models, current.id));
        return {};
    }
    NOTSO_TRY(const std::string id, model_named(models, name));
    deps_.screen.status(fmt::format("Loading {}", id));
    NOTSO_CHECK(deps_.session.set_model(id));
    NOTSO_TRY(const services::ModelInfo chosen, deps_.session.model());
    NOTSO_TRY(const ConversationView view, deps_.session.view());
    const bool stops_thinking = view.conversation.thinking && !chosen.can_think;
    if (stops_thinking) NOTSO_CHECK(deps_.session.set_thinking(false));
    deps_.screen.say(fmt::format("{} answers from now on.{}\n",
                                 terminal_safe(chosen.name),
                                 stops_thinking ? " It has no thinking mode." : ""));
    return {};
}

Result<> TerminalChat::compact() {
    deps_.screen.status("Summarising");
    NOTSO_TRY(const std::string summary, deps_.session.compact());
    NOTSO_TRY(const ConversationView view, deps_.session.view());
    left_out_ = 0;
    deps_.screen.say(
        fmt::format("Summarised for the model: {} messages.\n", view.context.summarised));
    deps_.screen.say_aside(summary);
    return {};
}

Result<> TerminalChat::export_chat(const std::string& argument) {
    NOTSO_TRY(const ConversationView view, deps_.session.view());
    if (view.messages.empty())
        return fail(ErrorCode::kInvalidArgument, "There is nothing to save yet.");
    const ExportTarget target = export_target(argument);
    fs::path path = target.path;
    Result<> written = deps_.session.export_to(path, target.format);
    for (int number = 2; !written && written.error().code == ErrorCode::kAlreadyExists &&
                         !target.is_named && number < kMostNumbers;
         ++number) {
        path = numbered(target.path, number);
        written = deps_.session.export_to(path, target.format);
    }
    NOTSO_CHECK(std::move(written));
    std::error_code ignored;
    const fs::path whole = fs::absolute(path, ignored);
    deps_.screen.say(fmt::format("Saved as {}\n", terminal_safe(whole.string())));
    return {};
}

Result<> TerminalChat::attach(const std::string& argument) {
    if (argument == "none") {
        NOTSO_CHECK(deps_.session.detach_all());
        deps_.screen.say("Nothing is attached.\n");
        return {};
    }
    if (argument.empty()) {
        NOTSO_TRY(const auto files, deps_.session.attached());
        deps_.screen.say(file_words(files));
        return {};
    }
    NOTSO_TRY(const services::AttachedFile file, deps_.session.attach(typed_path(argument)));
    if (deps_.screen.is_terminal())
        deps_.screen.say(fmt::format(
            "{} is attached ({} bytes of text).\n", terminal_safe(file.name), file.text_bytes));
    return {};
}

Result<std::string> TerminalChat::tool_names() {
    NOTSO_TRY(const services::ModelInfo model, deps_.session.model());
    if (!model.can_call_tools || deps_.tools == nullptr)
        return std::string("This model can't call tools.\n");
    std::string names;
    for (const boost::json::value& tool : deps_.tools->openai_tools())
        names += fmt::format(
            "{}\n", terminal_safe(std::string_view(tool.at("function").at("name").as_string())));
    return names.empty() ? "No tool is on.\n" : names;
}

}  // namespace notso::app

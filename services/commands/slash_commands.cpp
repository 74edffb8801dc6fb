#include "services/commands/slash_commands.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/utf8.hpp"

namespace notso::services {
namespace {

// In the order of the menu.
constexpr SlashEntry kEntries[] = {
    {SlashCommand::kNew, "new", "", "begin a new chat"},
    {SlashCommand::kClear, "clear", "", "delete this chat and begin a new one"},
    {SlashCommand::kReset, "reset", "", "begin a new chat with the settings of this one"},
    {SlashCommand::kRegenerate, "regenerate", "", "ask for another answer to the last question"},
    {SlashCommand::kContinue, "continue", "", "go on with an answer that was cut"},
    {SlashCommand::kThink, "think", "", "let the model think before it answers"},
    {SlashCommand::kNoThink, "no_think", "", "let it answer at once"},
    {SlashCommand::kBudget,
     "budget",
     "N",
     "let thoughts take at most N tokens; 0 is no limit, without a number: as usual"},
    {SlashCommand::kTemperature,
     "temp",
     "X",
     "set the temperature, from 0 to 2; without a number: the model’s own"},
    {SlashCommand::kSystem,
     "system",
     "TEXT",
     "tell the model what it has to keep to; without a text: nothing"},
    {SlashCommand::kModel,
     "model",
     "NAME",
     "let another model answer; without a name: which there are"},
    {SlashCommand::kTools, "tools", "", "what models may call"},
    {SlashCommand::kCompact,
     "compact",
     "",
     "have the model summarise this chat, for its own memory"},
    {SlashCommand::kCompact, "summarize", "", "the same as /compact"},
    {SlashCommand::kStats, "stats", "", "tokens and speed of the last answer"},
    {SlashCommand::kStatus, "status", "", "what the model is doing, and how full its memory is"},
    {SlashCommand::kExport,
     "export",
     "md|json",
     "save this chat as a file; without a word: as Markdown",
     SlashPlace::kPage},
    {SlashCommand::kExport,
     "export",
     "md|json|FILE",
     "save this chat as a new file; JSON has all of it, for the page to import",
     SlashPlace::kTerminal},
    {SlashCommand::kTheme,
     "theme",
     "system|light|dark",
     "choose the colours of the page",
     SlashPlace::kPage},
    {SlashCommand::kSettings, "settings", "", "the settings of this chat"},
    {SlashCommand::kHelp, "help", "", "commands and shortcuts"},
    {SlashCommand::kAttach,
     "attach",
     "FILE",
     "send a text, code or PDF file with the next message; without a name: which there are",
     SlashPlace::kTerminal},
    {SlashCommand::kLeave, "exit", "", "leave (also Ctrl-D)", SlashPlace::kTerminal},
    {SlashCommand::kLeave, "quit", "", "the same as /exit", SlashPlace::kTerminal},
};

constexpr std::size_t kMaxNameBytes = 40;

bool is_name_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/// The name of a line that begins with a slash, up to the first byte that no name has.
std::string_view name_in(std::string_view text) {
    const auto* const end = std::ranges::find_if_not(text.substr(1), is_name_byte);
    return text.substr(1, static_cast<std::size_t>(end - text.data()) - 1);
}

std::string lower(std::string_view name) {
    std::string out(name);
    std::ranges::transform(
        out, out.begin(), [](char byte) { return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte; });
    return out;
}

std::string argument_in(std::string_view rest) {
    const std::size_t begin = rest.find_first_not_of(kWhiteSpace);
    if (begin == std::string_view::npos) return {};
    return std::string(rest.substr(begin, rest.find_last_not_of(kWhiteSpace) - begin + 1));
}

}  // namespace

std::span<const SlashEntry> slash_entries() { return kEntries; }

bool is_slash_line(std::string_view text) {
    if (!text.starts_with('/')) return false;
    const std::string_view name = name_in(text);
    const std::string_view rest = text.substr(1 + name.size());
    return !name.empty() && (rest.empty() || kWhiteSpace.contains(rest.front()));
}

Result<SlashLine> parse_slash_line(std::string_view text, SlashPlace where) {
    NOTSO_ASSERT(is_slash_line(text), "only command lines are read");
    const std::string name = lower(name_in(text));
    const auto* found = std::ranges::find_if(kEntries, [&](const SlashEntry& entry) {
        return entry.name == name && entry.is_at(where);
    });
    if (found == std::end(kEntries)) {
        return fail(
            ErrorCode::kInvalidArgument,
            "There is no command /{}: /help lists all. To send the text as a message, begin "
            "it with a space or with //",
            name.substr(0, kMaxNameBytes));
    }
    SlashLine line{
        found->command, std::string(found->name), argument_in(text.substr(1 + name.size()))};
    if (line.argument.empty() || !found->argument.empty()) return line;
    return fail(ErrorCode::kInvalidArgument,
                "/{} stands alone, and nothing may follow it. To send the text as a message, begin "
                "it with a space or with //",
                found->name);
}

std::string unescape_slash(std::string text) {
    if (text.starts_with("//")) text.erase(0, 1);
    return text;
}

}  // namespace notso::services

// Slash commands: one table of what somebody may type instead of a message, for the page and for
// `notso chat`, and how such a line is read. What a command does is whoever's who read it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

enum class SlashCommand : std::uint8_t {
    kNew,
    kClear,
    kReset,
    kExport,
    kThink,
    kNoThink,
    kBudget,
    kTemperature,
    kSystem,
    kModel,
    kTools,
    kCompact,
    kContinue,
    kRegenerate,
    kStats,
    kStatus,
    kTheme,
    kSettings,
    kHelp,
    kAttach,
    kLeave,
};

/// Where a command can be typed.
enum class SlashPlace : std::uint8_t { kPage = 1, kTerminal = 2, kBoth = 3 };

struct SlashEntry {
    SlashCommand command = SlashCommand::kHelp;
    std::string_view name;      ///< Without the slash.
    std::string_view argument;  ///< What may follow, for people; empty: nothing.
    std::string_view about;     ///< What it does, for people: a phrase.
    SlashPlace place = SlashPlace::kBoth;

    bool is_at(SlashPlace where) const {
        return (static_cast<unsigned>(place) & static_cast<unsigned>(where)) != 0;
    }
};

/// All of them, in the order in which people see them.
std::span<const SlashEntry> slash_entries();

/// A line that was read.
struct SlashLine {
    SlashCommand command = SlashCommand::kHelp;
    std::string name;      ///< As the table has it.
    std::string argument;  ///< Without white space around it; empty: none.
};

/// Whether a text is meant as a command: a slash, then letters and underscores up to white space or
/// its end. Paths and sums are messages.
bool is_slash_line(std::string_view text);

/// Reads one. @errors kInvalidArgument: there is no such command there, with what to do to send the
/// text as a message; or it takes nothing and got something.
Result<SlashLine> parse_slash_line(std::string_view text, SlashPlace where);

/// The message that a text which is no command stands for: two slashes at its beginning are one.
std::string unescape_slash(std::string text);

}  // namespace notso::services

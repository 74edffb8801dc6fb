// What a slash command works with, and what it leads to: between chat_commands.cpp, which reads
// commands and answers requests, and command_bodies.cpp, which does them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/commands/slash_commands.hpp"
#include "web/routes/chat_commands.hpp"

namespace notso::web {

/// A command, where it was typed.
struct CommandScene {
    const Request& request;
    const Pages& pages;
    services::SlashLine line;
    std::optional<services::ConversationView> chat =
        {};                  ///< Nothing: a chat that is not begun yet.
    bool temporary = false;  ///< Nothing of the chat is stored, nor of one that is begun from it.

    const Language& language() const { return Language::of(request); }
    services::ChatService& service() const { return pages.context().chat; }
};

/// Where it leads.
struct CommandOutcome {
    /// The page that follows; empty: the chat stays as it is shown, and says what was done.
    std::string go_to = {};
    std::vector<Header> headers = {};
};

/// A command that could not be done.
struct RefusedCommand {
    std::string text;  ///< As it was typed.
    Error error;
};

/// Does it. @errors whatever keeps it from being done, in words for people.
Awaitable<Result<CommandOutcome>> do_command(CommandScene& scene);

/// The page of a chat that tells what a command did.
std::string told_path(const services::ConversationKey& key, std::string_view did);

}  // namespace notso::web

// What slash commands of `notso chat` change and tell, in words for a terminal. The table of
// commands is services/commands, which the page shares; names mean the same there.
#pragma once

#include <optional>
#include <string>

#include "app/answer.hpp"
#include "services/commands/slash_commands.hpp"
#include "services/session/chat_settings.hpp"

namespace notso::app {

/// How the answers of a terminal chat are made.
struct TerminalSettings {
    services::ChatSettings values = {};
    bool thinking = false;
};

/// Every command of the terminal with what it does, a line each.
std::string slash_help();

/// Does what /think, /no_think, /budget, /temp and /system say, or tells what is set (/settings).
/// @return In words, with a line break. @errors kInvalidArgument, kTooLarge, kUnsupported.
Result<std::string> change_settings(const services::SlashLine& line,
                                    const services::ModelInfo& model,
                                    TerminalSettings& settings);

/// Tokens and speed of an answer, with a line break.
std::string stats_words(const std::optional<Answer>& answer);

/// What the model is, and how full its context is after an answer, with a line break.
std::string status_words(const services::ModelInfo& model, const std::optional<Answer>& answer);

}  // namespace notso::app

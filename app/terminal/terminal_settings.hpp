// What slash commands of `notso chat` change and tell, in words for a terminal. The table of
// commands is services/commands, which the page shares; names mean the same there.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/result.hpp"
#include "services/archive/export.hpp"
#include "services/chat/chat_service.hpp"
#include "services/commands/slash_commands.hpp"

namespace notso::app {

/// Every command of the terminal with what it does, a line each, then keys and long messages.
std::string slash_help();

/// Does what /budget, /temp and /system say. @return In words, with a line break.
/// @errors kInvalidArgument, kTooLarge.
Result<std::string> change_settings(const services::SlashLine& line,
                                    const services::ModelInfo& model,
                                    services::ChatSettings& settings);

/// All that is set (/settings).
std::string settings_words(const services::Conversation& conversation);

/// Tokens and speed of the last answer, with a line break.
std::string stats_words(const services::ConversationView& view);

/// What the model is, and how full its context is, with a line break.
std::string status_words(const services::ModelInfo& model, const services::ContextUse& context);

/// Every model that can answer, a line each; a star stands before the one that does.
std::string model_words(std::span<const services::ModelEntry> models, const std::string& current);

/// The model with that id, or with an id that contains the name and no other does.
/// @errors kInvalidArgument with those that there are, or that it could be.
Result<std::string> model_named(std::span<const services::ModelEntry> models,
                                const std::string& name);

/// Where /export writes to.
struct ExportTarget {
    std::filesystem::path path;
    services::ArchiveFormat format = services::ArchiveFormat::kMarkdown;
    bool is_named = false;  ///< By the person: else another name does as well.
};
/// Reads what follows /export: nothing, md, json, or the name of a file.
ExportTarget export_target(const std::string& argument);
/// "chat.md", 3 gives "chat-3.md".
std::filesystem::path numbered(const std::filesystem::path& path, int number);

/// A path as a person types or drops it: without blanks around it, quotes or "~/".
std::filesystem::path typed_path(std::string_view text);

}  // namespace notso::app

// What a model wrote on the side (titles, suggestions), made fit to be shown, or refused. Small
// models write much rubbish: what does not look right is left out. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/session/session_store.hpp"

namespace notso::services {

inline constexpr std::string_view kTitleInstruction =
    "Write a title for this conversation: at most six words, nothing else.";
inline constexpr std::string_view kFollowUpInstruction =
    "Suggest three short questions that I could ask you next about this, as a JSON array of "
    "strings.";
/// For models that can't be held to a grammar.
inline constexpr std::string_view kFreeFollowUpInstruction =
    "Suggest three short questions that I could ask you next about this. One per line, nothing "
    "else.";

inline constexpr std::size_t kMaxFollowUps = 3;

/// A title: one line of plain text, 3 to 60 code points, without Markdown, control and direction
/// characters, with at least one word of the conversation in it. Empty when the text is no such
/// title.
/// @param written   What the model answered to kTitleInstruction; well-formed UTF-8.
/// @param messages  The conversation.
std::optional<std::string> clean_title(std::string_view written,
                                       const std::vector<Message>& messages);

/// GBNF of an answer to kFollowUpInstruction: a JSON array of three strings that end in a question
/// mark. In a talk in English they begin as questions do, or small models write statements.
std::string follow_up_grammar(const std::vector<Message>& messages);

/// At most three questions, each a line of plain text of at most 80 code points that has to do with
/// the last exchange and was not asked before.
/// @param written  A JSON array of strings, or lines.
/// @param whole    False when the text was cut: then its last line is left out.
std::vector<std::string> clean_follow_ups(std::string_view written,
                                          bool whole,
                                          const std::vector<Message>& messages);

}  // namespace notso::services

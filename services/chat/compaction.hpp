// What is summarised next of a conversation, and what the model is asked for it. Pure but for
// counting tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/chat/context_window.hpp"

namespace notso::services {

inline constexpr std::string_view kSummaryInstruction =
    "List the main points of our conversation so far, with names, numbers and decisions, in a few "
    "short sentences. Write nothing else.";

/// How much of a conversation stays word for word.
enum class CompactReach {
    kAllButNewest,  ///< Everything but the last question and its answer: somebody asked for it.
    kToMakeRoom,    ///< What it takes until about a third of the prompt's room is used.
};

struct CompactStep {
    MessageId until;                ///< What the summary will tell of.
    std::vector<Message> messages;  ///< To be read for it; the last one is the instruction.
    std::int64_t max_tokens = 0;    ///< Of the summary.
};

/// The next thing to summarise; nothing when there is none (left). Long conversations take several
/// steps: each one tells of as much as the model can read at once, beginning with the last summary.
/// @param source  The conversation as it is shown.
/// @errors count_tokens()'s; kContextLength: the system prompt leaves no room.
Result<std::optional<CompactStep>> next_compact_step(ChatBackend& backend,
                                                     const PromptSource& source,
                                                     CompactReach reach);

/// A prompt is worth summarising from here on.
bool is_nearly_full(std::int64_t tokens, std::int64_t budget);

/// What the model wrote, fit to be kept: without white space around it; when it was cut, up to its
/// last whole sentence. Empty: it wrote nothing.
/// @param whole  The model ended it by itself.
std::string clean_summary(std::string_view written, bool whole);

}  // namespace notso::services

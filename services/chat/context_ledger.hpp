// ContextLedger: what the model would read if a message were sent now, message by message, and how
// full that is. For people: nothing is decided here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/chat/context_window.hpp"

namespace notso::services {

/// How full a prompt is, as far as it is known without counting.
struct ContextUse {
    std::int64_t used = 0;        ///< Tokens of the next prompt, about.
    std::int64_t budget = 0;      ///< Tokens that a prompt may have; 0 = not known.
    std::int64_t summarised = 0;  ///< Messages that a summary tells of.
};

enum class LedgerFate { kKept, kSummarised, kLeftOut };

struct LedgerRow {
    MessageId message;
    MessageRole role = MessageRole::kUser;
    LedgerFate fate = LedgerFate::kKept;
    std::int64_t tokens = 0;  ///< With what the template puts around it.
    std::string text;         ///< Its beginning, on one line.
};

struct ContextLedger {
    std::string model;
    std::int64_t context = 0;          ///< Tokens that the model can read; 0 = not known.
    std::int64_t budget = 0;           ///< Of those, for the prompt: the rest is the answer's.
    std::int64_t total = 0;            ///< Tokens of the prompt.
    std::int64_t fixed = 0;            ///< Of those: system prompt, tools, the template's own.
    std::int64_t summary_tokens = 0;   ///< Of those: the summary.
    std::string summary = {};          ///< Its text.
    std::vector<LedgerRow> rows = {};  ///< Oldest first. Those that are kept, `fixed` and
                                       ///< `summary_tokens` add up to `total`.
    std::int64_t older = 0;            ///< Messages before the first row, none of which is kept.
    std::int64_t left_out = 0;         ///< Messages that are neither kept nor summarised.
    bool can_compact = false;          ///< There is something to summarise.
};

/// The ledger of a conversation's next message.
/// @param source  Its last message is a draft of the person's, which may be empty; it has no row.
/// @errors as fit_context(). @cost Reads each row's message twice; at most 200 rows that are not
/// kept.
Result<ContextLedger> make_ledger(ChatBackend& backend, const PromptSource& source);

/// From what answers told when they were made.
/// @param context  Tokens that the model reads in this conversation; 0 = not known.
/// @param path     What is shown, first to last.
ContextUse context_use(std::int64_t context,
                       bool thinking,
                       const std::vector<Message>& path,
                       const std::vector<Summary>& summaries);

}  // namespace notso::services

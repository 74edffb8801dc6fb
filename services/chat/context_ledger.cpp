#include "services/chat/context_ledger.hpp"

#include <algorithm>
#include <ranges>
#include <span>
#include <utility>

#include "services/chat/message_files.hpp"
#include "services/chat/title.hpp"
#include "services/settings/setting_fields.hpp"

namespace notso::services {
namespace {

constexpr std::int64_t kMaxRows = 200;
constexpr std::size_t kExcerptBytes = 120;

/// The beginning of a text on one line, cut between characters.
std::string excerpt(std::string_view text) {
    const bool cut = text.size() > kExcerptBytes;
    if (cut) {
        std::size_t end = kExcerptBytes;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
        text = text.substr(0, end);
    }
    return single_line(text) + (cut ? "…" : "");
}

/// Counts what messages take by what a short prompt grows by when they are put before its end.
class Scale {
  public:
    /// @param source  As make_ledger().
    Scale(ChatBackend& backend, const PromptSource& source) : backend_(backend) {
        alone_.conversation = source.conversation;
        alone_.thinking = source.thinking;
        alone_.messages = {source.messages.back()};
    }

    Result<std::int64_t> base() { return count({}); }

    /// Tokens of a question, and of it with its answer.
    Result<std::pair<std::int64_t, std::int64_t>> weigh(const Exchange& exchange) {
        Message user = *exchange.user;
        Message answer = *exchange.answer;
        NOTSO_TRY(const std::int64_t nothing, base());
        answer.parent = user.id;
        NOTSO_TRY(const std::int64_t both, count({user, answer}));
        answer.text = std::string(1, ' ');
        answer.tool_uses.clear();
        NOTSO_TRY(const std::int64_t question, count({user, answer}));
        const std::int64_t whole = std::max<std::int64_t>(both - nothing, 0);
        return std::pair(std::clamp<std::int64_t>(question - nothing, 0, whole), whole);
    }

  private:
    Result<std::int64_t> count(std::vector<Message> before) {
        PromptSource source = alone_;
        std::ranges::move(source.messages, std::back_inserter(before));
        source.messages = std::move(before);
        const PromptParts parts(source);
        const std::size_t all = parts.exchanges().size();
        return backend_.count_tokens(
            parts.request({.first = 0, .end = all, .summary = false, .system = false}));
    }

    ChatBackend& backend_;
    PromptSource alone_;
};

class LedgerMaker {
  public:
    LedgerMaker(ChatBackend& backend, const PromptSource& source)
        : backend_(backend), source_(source), parts_(source), scale_(backend, source) {}

    Result<ContextLedger> make() {
        NOTSO_TRY(const ModelInfo model, backend_.find_model(source_.conversation.model));
        NOTSO_TRY(const FittedPrompt prompt, fit_context(backend_, source_));
        ledger_.model = model.name;
        ledger_.context = context_of(model.context_length, source_.conversation.settings);
        if (ledger_.context > 0)
            ledger_.budget = ledger_.context - answer_room(ledger_.context, source_.thinking);
        NOTSO_TRY(ledger_.total, backend_.count_tokens(prompt.request));
        ledger_.left_out = prompt.messages_left_out;
        if (prompt.has_summary) NOTSO_CHECK(add_summary(prompt.exchanges));
        ledger_.can_compact = parts_.exchanges().size() > 2;  // with the draft
        NOTSO_CHECK(add_rows(prompt));
        ledger_.fixed = ledger_.total - ledger_.summary_tokens;
        for (const LedgerRow& row : ledger_.rows)
            if (row.fate == LedgerFate::kKept) ledger_.fixed -= row.tokens;
        return std::move(ledger_);
    }

  private:
    Result<> add_summary(std::size_t kept) {
        ledger_.summary = parts_.summary()->text;
        NOTSO_TRY(const std::int64_t without, backend_.count_tokens(parts_.newest(kept, false)));
        ledger_.summary_tokens = std::max<std::int64_t>(ledger_.total - without, 0);
        return {};
    }

    Result<> add_rows(const FittedPrompt& prompt) {
        const auto& exchanges = parts_.exchanges();
        const std::size_t n_answered = exchanges.size() - 1;
        const std::size_t first_kept = exchanges.size() - prompt.exchanges;
        const std::span<const Message> path(source_.messages);
        std::vector<std::pair<Exchange, LedgerFate>> shown;
        const LedgerFate told = prompt.has_summary ? LedgerFate::kSummarised : LedgerFate::kLeftOut;
        for (const Exchange& exchange :
             exchanges_of(path.first(static_cast<std::size_t>(parts_.summarised()))))
            if (exchange.answer != nullptr) shown.emplace_back(exchange, told);
        for (std::size_t i = 0; i < n_answered; ++i) {
            const bool kept = i >= first_kept;
            shown.emplace_back(exchanges[i], kept ? LedgerFate::kKept : LedgerFate::kLeftOut);
        }
        const auto not_kept = std::ranges::count_if(
            shown, [](const auto& entry) { return entry.second != LedgerFate::kKept; });
        const auto skipped = std::max<std::ptrdiff_t>(not_kept - kMaxRows / 2, 0);
        ledger_.older = 2 * skipped;
        for (const auto& [exchange, fate] : shown | std::views::drop(skipped))
            NOTSO_CHECK(add_row(exchange, fate));
        return {};
    }

    Result<> add_row(const Exchange& exchange, LedgerFate fate) {
        NOTSO_TRY(const auto tokens, scale_.weigh(exchange));
        const auto& [question, both] = tokens;
        const auto row = [&](const Message& message, std::int64_t count) {
            ledger_.rows.push_back({.message = message.id,
                                    .role = message.role,
                                    .fate = fate,
                                    .tokens = count,
                                    .text = excerpt(message.text) + names_of_files(message)});
        };
        row(*exchange.user, question);
        row(*exchange.answer, both - question);
        return {};
    }

    ChatBackend& backend_;
    const PromptSource& source_;
    PromptParts parts_;
    Scale scale_;
    ContextLedger ledger_;
};

}  // namespace

Result<ContextLedger> make_ledger(ChatBackend& backend, const PromptSource& source) {
    return LedgerMaker(backend, source).make();
}

ContextUse context_use(std::int64_t context,
                       bool thinking,
                       const std::vector<Message>& path,
                       const std::vector<Summary>& summaries) {
    ContextUse use;
    if (context <= 0) return use;
    use.budget = context - answer_room(context, thinking);
    UnixMs counted_at = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const Message& message = path[i];
        const MessageStats& stats = message.stats;
        if (stats.prompt_tokens > 0 && message.state != MessageState::kRunning) {
            use.used = stats.prompt_tokens + stats.completion_tokens - stats.reasoning_tokens;
            counted_at = message.created_at;
        }
        const auto summary = std::ranges::find(summaries, message.id, &Summary::until);
        const bool newest = summary != summaries.end() && i + 1 < path.size();
        if (newest) use.summarised = static_cast<std::int64_t>(i) + 1;
    }
    for (const Summary& summary : summaries) {
        const bool applies = use.summarised > 0 &&
                             path[static_cast<std::size_t>(use.summarised) - 1].id == summary.until;
        if (applies && summary.created_at > counted_at && summary.prompt_tokens > 0)
            use.used = summary.prompt_tokens;
    }
    return use;
}

}  // namespace notso::services

#include "web/pages/context_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "web/pages/format.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::ContextLedger;
using services::LedgerFate;
using services::LedgerRow;

constexpr std::int64_t kFilling = 70;  // percent
constexpr std::int64_t kFull = 90;

std::int64_t percent_of(std::int64_t used, std::int64_t budget) {
    return std::clamp<std::int64_t>(used * 100 / std::max<std::int64_t>(budget, 1), 0, 100);
}

/// Besides the colour: a word.
std::string_view level_word(std::int64_t percent) {
    if (percent < kFilling) return "";
    return percent < kFull ? "filling up" : "nearly full";
}

json::object gauge_view(std::int64_t used, std::int64_t budget) {
    const std::int64_t percent = percent_of(used, budget);
    return {{"percent", percent},
            {"level",
             percent < kFilling ? "low"
             : percent < kFull  ? "filling"
                                : "full"},
            {"word", level_word(percent)}};
}

std::string_view fate_name(LedgerFate fate) {
    switch (fate) {
        case LedgerFate::kKept:
            return "Kept";
        case LedgerFate::kSummarised:
            return "Summarised";
        case LedgerFate::kLeftOut:
            return "Left out";
    }
    return "";
}

json::object row_view(const LedgerRow& row) {
    return {{"message", row.message.value},
            {"who", row.role == services::MessageRole::kUser ? "You" : "Answer"},
            {"text", row.text},
            {"tokens", format_count(row.tokens)},
            {"fate", fate_name(row.fate)},
            {"kept", row.fate == LedgerFate::kKept}};
}

std::string lead_of(const ContextLedger& ledger) {
    if (ledger.budget <= 0)
        return fmt::format("The next prompt takes {}. How much {} can read is not known.",
                           format_counted(ledger.total, "token"),
                           ledger.model);
    return fmt::format(
        "{} reads at most {} at once. {} of them are kept free for its answer, which leaves {} for "
        "the prompt; {} of these are used.",
        ledger.model,
        format_counted(ledger.context, "token"),
        format_count(ledger.context - ledger.budget),
        format_count(ledger.budget),
        format_count(ledger.total));
}

}  // namespace

json::value context_view(const services::ContextUse& use, std::string_view conversation) {
    if (use.budget <= 0) return nullptr;
    json::object view = gauge_view(use.used, use.budget);
    view["path"] = fmt::format("/chat/{}/context", conversation);
    view["summarised"] = use.summarised == 0 ? "" : format_counted(use.summarised, "message");
    return view;
}

json::object ledger_view(const ContextLedger& ledger, std::string_view conversation) {
    json::array rows;
    for (const LedgerRow& row : ledger.rows) rows.push_back(row_view(row));
    json::object view = gauge_view(ledger.total, ledger.budget);
    view["known"] = ledger.budget > 0;
    view["chat"] = fmt::format("/chat/{}", conversation);
    view["lead"] = lead_of(ledger);
    view["fixed"] = format_count(ledger.fixed);
    view["summary"] = ledger.summary;
    view["summary_tokens"] = format_count(ledger.summary_tokens);
    view["total"] = format_count(ledger.total);
    view["rows"] = std::move(rows);
    view["older"] = ledger.older == 0 ? "" : format_counted(ledger.older, "older message");
    view["left_out"] = ledger.left_out == 0 ? "" : format_counted(ledger.left_out, "message");
    view["can_compact"] = ledger.can_compact;
    return view;
}

}  // namespace notso::web

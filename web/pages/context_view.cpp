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
std::string_view level_word(const Language& language, std::int64_t percent) {
    if (percent < kFilling) return "";
    return language.text(percent < kFull ? "filling up" : "nearly full");
}

json::object gauge_view(const Language& language, std::int64_t used, std::int64_t budget) {
    const std::int64_t percent = percent_of(used, budget);
    return {{"percent", percent},
            {"level",
             percent < kFilling ? "low"
             : percent < kFull  ? "filling"
                                : "full"},
            {"word", level_word(language, percent)}};
}

std::string_view fate_name(const Language& language, LedgerFate fate) {
    switch (fate) {
        case LedgerFate::kKept:
            return language.text("Kept");
        case LedgerFate::kSummarised:
            return language.text("Summarised");
        case LedgerFate::kLeftOut:
            return language.text("Left out");
    }
    return "";
}

json::object row_view(const Language& language, const LedgerRow& row) {
    return {{"message", row.message.value},
            {"who", language.text(row.role == services::MessageRole::kUser ? "You" : "Answer")},
            {"text", row.text},
            {"tokens", format_count(language, row.tokens)},
            {"fate", fate_name(language, row.fate)},
            {"kept", row.fate == LedgerFate::kKept}};
}

std::string lead_of(const Language& language, const ContextLedger& ledger) {
    if (ledger.budget <= 0)
        return language.fill("The next prompt takes {}. How much {} can read is not known.",
                             format_counted(language, ledger.total, "token"),
                             ledger.model);
    return language.fill(
        "{} reads at most {} at once. {} of them are kept free for its answer, which leaves {} for "
        "the prompt; {} of these are used.",
        ledger.model,
        format_counted(language, ledger.context, "token"),
        format_count(language, ledger.context - ledger.budget),
        format_count(language, ledger.budget),
        format_count(language, ledger.total));
}

}  // namespace

json::value context_view(const Language& language,
                         const services::ContextUse& use,
                         std::string_view conversation) {
    if (use.budget <= 0) return nullptr;
    json::object view = gauge_view(language, use.used, use.budget);
    view["path"] = fmt::format("/chat/{}/context", conversation);
    view["summarised"] =
        use.summarised == 0 ? "" : format_counted(language, use.summarised, "message");
    return view;
}

json::object ledger_view(const Language& language,
                         const ContextLedger& ledger,
                         std::string_view conversation) {
    json::array rows;
    for (const LedgerRow& row : ledger.rows) rows.push_back(row_view(language, row));
    json::object view = gauge_view(language, ledger.total, ledger.budget);
    view["known"] = ledger.budget > 0;
    view["chat"] = fmt::format("/chat/{}", conversation);
    view["lead"] = lead_of(language, ledger);
    view["fixed"] = format_count(language, ledger.fixed);
    view["summary"] = ledger.summary;
    view["summary_tokens"] = format_count(language, ledger.summary_tokens);
    view["total"] = format_count(language, ledger.total);
    view["rows"] = std::move(rows);
    view["older"] =
        ledger.older == 0 ? "" : format_counted(language, ledger.older, "older message");
    view["left_out"] =
        ledger.left_out == 0 ? "" : format_counted(language, ledger.left_out, "message");
    view["can_compact"] = ledger.can_compact;
    return view;
}

}  // namespace notso::web

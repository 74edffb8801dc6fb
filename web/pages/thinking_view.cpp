#include "web/pages/thinking_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "services/session/session_store.hpp"
#include "web/pages/format.hpp"

namespace notso::web {
namespace {

constexpr std::int64_t kChoices[] = {128, 256, 512, 1024, 2048, 4096, 8192};

std::string label_of(const Language& language, std::int64_t tokens) {
    return tokens == 0 ? std::string(language.text("no limit"))
                       : format_counted(language, tokens, "token");
}

boost::json::object choice(std::string value, std::string label, bool selected) {
    return {{"value", std::move(value)}, {"label", std::move(label)}, {"selected", selected}};
}

}  // namespace

boost::json::array budgets_view(const Language& language,
                                std::optional<std::int64_t> chosen,
                                std::int64_t server_default) {
    boost::json::array view = {choice(
        "", language.fill("Usual: {}", label_of(language, server_default)), !chosen.has_value())};
    std::vector<std::int64_t> all(std::begin(kChoices), std::end(kChoices));
    if (chosen && *chosen > 0) all.push_back(*chosen);
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    all.push_back(0);
    for (const std::int64_t tokens : all) {
        const std::string label =
            tokens == 0 ? std::string(language.text("No limit")) : label_of(language, tokens);
        view.push_back(choice(fmt::to_string(tokens), label, chosen == tokens));
    }
    return view;
}

Result<std::optional<std::int64_t>> parse_budget(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::int64_t tokens = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), tokens);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && tokens >= 0 && tokens <= services::kMaxThinkingBudget)
        return std::optional(tokens);
    return fail(ErrorCode::kInvalidArgument,
                "the thinking budget is a whole number from 0 (no limit) to {}, or empty",
                services::kMaxThinkingBudget);
}

}  // namespace notso::web

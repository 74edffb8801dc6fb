// What stands beside the composer about thinking: the switch, and how long thoughts may be.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Variable `budgets` of partials/thinking_choice.html: what a person can choose from.
/// @param chosen          Of the conversation; absent = as the server is set.
/// @param server_default  0 = no limit.
boost::json::array budgets_view(const Language& language,
                                std::optional<std::int64_t> chosen,
                                std::int64_t server_default);

/// Reads what the form sends: a number, or nothing for what the server is set to.
/// @errors kInvalidArgument: not 0 (no limit) to kMaxThinkingBudget.
Result<std::optional<std::int64_t>> parse_budget(std::string_view text);

}  // namespace notso::web

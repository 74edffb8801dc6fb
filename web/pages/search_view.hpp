// What a search in the conversations found, as the templates see it.
#pragma once

#include <boost/json.hpp>
#include <string_view>
#include <vector>

#include "services/session/session_store.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Variables of partials/search_results.html.
boost::json::object search_view(const Language& language,
                                std::string_view query,
                                const std::vector<services::SearchHit>& hits);

}  // namespace notso::web

// Models as the templates see them: the menu of a chat, the page of all models, a download.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "services/backend/chat_backend.hpp"
#include "services/models/pull_desk.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Variable `models`: what can be chosen. @param chosen  an id; empty = the default, the first.
boost::json::array models_view(const Language& language,
                               const std::vector<services::ModelEntry>& models,
                               const std::string& chosen);

/// Variable `pull` of models.html: what runs or ran last.
boost::json::object pull_view(const Language& language, const services::PullStatus& status);

/// Variable `catalogue` of models.html: models with a short name that are not installed.
boost::json::array catalogue_view(const Language& language,
                                  const std::vector<services::ModelEntry>& models);

}  // namespace notso::web

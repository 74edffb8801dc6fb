// GET /chat/{id}/after: what was made of an answer once it had ended: title, follow-up questions.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

void add_after_answer_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web

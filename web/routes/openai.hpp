// The OpenAI API: /v1/models, /v1/chat/completions, /v1/completions. A client that goes away
// cancels its answer.
#pragma once

#include <vector>

#include "web/routes/context.hpp"

namespace notso::web {

void add_openai_routes(std::vector<Route>& routes, AppContext& context);

}  // namespace notso::web

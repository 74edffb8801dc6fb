// A backend that can't answer and says why: what `serve` runs with when no model can be chosen, so
// that the page opens and tells.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::app {

std::unique_ptr<services::ChatBackend> make_unavailable_backend(Error why);

}  // namespace notso::app

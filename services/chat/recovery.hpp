// Recovery: answers that the last process did not bring to an end. On the database thread.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "services/chat/context_window.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// An answer that goes on: it had come to calls of tools.
struct Unfinished {
    OwnerId owner;
    Message answer;
    PromptSource source;
};

/// Marks what can't go on as kInterrupted, and returns the rest.
Result<std::vector<Unfinished>> recover_answers(SessionStore& store);

}  // namespace notso::services

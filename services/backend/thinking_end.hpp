// Why the thoughts of an answer ended.
#pragma once

#include <cstdint>

namespace notso::services {

/// Stored as these numbers.
enum class ThinkingEndReason : std::uint8_t {
    kModel = 0,   ///< The model closed them, or the answer ended inside them.
    kBudget = 1,  ///< ChatRequest::thinking_budget was used up.
    kAsked = 2,   ///< ChatStream::answer_now().
    kLoop = 3,    ///< They went round in circles.
};

}  // namespace notso::services

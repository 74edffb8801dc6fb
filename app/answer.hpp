// One answer for the terminal commands: starts it on a backend, shows it piece by piece on the
// calling thread, and lets Ctrl-C end it with the partial text kept.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/interrupts.hpp"
#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::app {

/// Called on the thread that called follow_answer(), in order.
struct AnswerView {
    std::function<void(const std::string& text)> on_thinking = [](const std::string&) {};
    std::function<void(const std::string& text)> on_text = [](const std::string&) {};
};

/// A call of a tool that an answer made.
struct AnswerCall {
    std::string id;
    std::string name;
    std::string arguments;  ///< JSON text.
};

/// An answer that has ended.
struct Answer {
    std::string text = {};
    std::string thinking = {};
    std::vector<AnswerCall> calls = {};     ///< They wait for their results.
    std::vector<std::int32_t> tokens = {};  ///< Empty when the backend has no ids.
    double first_token_ms = 0;              ///< From the start to the first token.
    services::chat_event::End end = {};
};

/// Waits for the answer's end. A signal cancels it; the Answer then says kCancelled and holds the
/// partial text.
/// @errors as ChatBackend::start().
Result<Answer> follow_answer(services::ChatBackend& backend,
                             const services::ChatRequest& request,
                             Interrupts& interrupts,
                             const AnswerView& view);

/// "stop", "length", "cancelled", "error".
std::string_view finish_name(services::ChatFinish finish);

/// Removes control characters that could steer a terminal; line breaks and tabs stay. Model text is
/// hostile.
std::string terminal_safe(std::string_view text);

}  // namespace notso::app

// What the scripted stub says: commands in the user's message become a list of steps. No clock and
// no threads here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/backend/chat_backend.hpp"

namespace notso::services {

enum class StubStepKind {
    kThinkingStarted,
    kThinkingWord,
    kThinkingEnded,
    kWord,
    kToolCall,
    kFailure
};

struct StubStep {
    StubStepKind kind;
    std::string text = {};       ///< For kToolCall: the tool's name.
    std::string arguments = {};  ///< For kToolCall.
    ThinkingEndReason reason = ThinkingEndReason::kModel;
};

struct StubScript {
    std::vector<StubStep> steps;
    std::optional<std::chrono::milliseconds> word_delay = {};  ///< [slow]
};

/// The answer to a request. Commands understood in the last user message:
/// [think] thoughts first · [loop] thoughts that go round in circles · [call NAME {…}] calls a tool
/// of the request, as often as it stands there, until a result of a tool follows · [markdown] a
/// rich answer · [hostile] HTML, scripts, links, images · [long N] N words · [echo] the message
/// itself · [slow] 50 ms per word · [error] fails half-way.
StubScript make_stub_script(const ChatRequest& request);

/// Words of all messages: the stub's idea of tokens.
std::int64_t count_stub_tokens(const ChatRequest& request);

}  // namespace notso::services

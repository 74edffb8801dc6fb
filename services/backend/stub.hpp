// The scripted stub: a backend without a model, for tests and for trying the page. It says so in
// every answer. What it answers is decided in stub_script.*; here are the clock, the queue and the
// events.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "services/backend/chat_backend.hpp"

namespace notso::services {

struct StubOptions {
    std::chrono::milliseconds word_delay{5};
    std::int64_t context_length = 8192;  ///< In words.
    std::int32_t max_running = 4;
    std::int32_t max_waiting = 64;
};

/// Starts the stub's timer thread; all events come from it. Destroying the backend cancels what
/// runs and waits until every End was delivered.
std::unique_ptr<ChatBackend> make_stub_backend(const StubOptions& options = {});

}  // namespace notso::services

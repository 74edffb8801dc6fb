// The remote backend: an OpenAI-compatible server (llama-server, vLLM, another notso) answers. What
// people write leaves this machine; ModelInfo::remote_host says where to.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/net/url.hpp"

namespace notso::services {

/// Context assumed of a server that does not tell its own.
inline constexpr std::int64_t kDefaultRemoteContext = 8192;

struct RemoteOptions {
    HttpUrl base_url;          ///< Usually ends in "/v1".
    std::string model = {};    ///< Empty: the first one that the server lists.
    std::string api_key = {};  ///< Never shown, never logged.
    /// Tokens; 0 = what the server says, else kDefaultRemoteContext.
    std::int64_t context_length = 0;
    std::int32_t max_running = 64;  ///< Answers at once; each has a thread and a connection.

    std::chrono::milliseconds connect_timeout{5'000};
    /// A server on CPUs may queue for long.
    std::chrono::milliseconds first_byte_timeout{120'000};
    /// Comments that keep a stream alive count.
    std::chrono::milliseconds silence_timeout{60'000};

    std::int32_t max_retries = 3;                  ///< Before the first token only.
    std::chrono::milliseconds first_backoff{500};  ///< Doubles with each retry.
    /// A server whose Retry-After asks for more is not waited for.
    std::chrono::milliseconds longest_backoff{30'000};
    /// Between questions after its health; a third of it while it does not answer.
    std::chrono::milliseconds health_interval{15'000};
};

/// Returns at once. A thread looks after the server; others, at most max_running, carry the answers
/// and sleep in between. start() tries the server whatever health() says. count_tokens() is an
/// estimate that errs on the high side (a third of the bytes), but never refuses: the server has
/// the last word. Destroying the backend closes every connection and returns after every End.
std::unique_ptr<ChatBackend> make_remote_backend(RemoteOptions options);

}  // namespace notso::services

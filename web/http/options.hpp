// What a server can be told: its limits, its address, who may talk to it. Plain data, no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "web/http/message.hpp"

namespace notso::services {
class LoginDesk;
}

namespace notso::web {

/// Every one is tested at, just over and far over the limit.
struct HttpLimits {
    std::size_t request_line_bytes = 8 * 1024;
    std::size_t header_bytes = 16 * 1024;
    std::size_t header_count = 100;
    std::size_t chat_body_bytes = 4 * 1024 * 1024;
    std::size_t body_bytes = 256 * 1024;
    std::size_t file_body_bytes = std::size_t{1} << 30;
    std::size_t form_body_bytes = std::size_t{205} << 20;  ///< Ten files and what was typed.
    std::size_t unsent_stream_bytes = 256 * 1024;
    std::size_t connections = 12'000;
    std::size_t connections_per_address = 256;
    int header_timeout_ms = 10'000;
    int body_idle_timeout_ms = 15'000;
    int write_stall_timeout_ms = 30'000;
    int keep_alive_timeout_ms = 60'000;
};

/// Draws an error for people. API routes never use it: their errors are JSON.
using ErrorPage = std::function<Response(const Request& request, int status, const Error& error)>;

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3000;  ///< 0 = any free port (tests).
    HttpLimits limits = {};
    std::string api_key = {};  ///< Empty = none; required on anything but loopback.
    std::vector<std::string> allowed_hosts =
        {};  ///< Besides loopback names and the bound address (DNS rebinding).
    std::string public_url = {};
    std::vector<std::string> trusted_proxies =
        {};  ///< Addresses whose X-Forwarded-For is believed.
    /// Each browser has conversations of its own; otherwise all are the person at this machine.
    bool spaces = false;
    services::LoginDesk* logins = nullptr;  ///< Where there are accounts, nobody gets in without.
    ErrorPage error_page = {};              ///< Empty: a plain page.
};

}  // namespace notso::web

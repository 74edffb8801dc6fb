// The HTTP server: connections, limits, time-outs, keep-alive. Routes come from outside.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "web/http/exchange.hpp"

namespace notso::web {

/// docs/limits: every one is tested at, just over and far over the limit.
struct HttpLimits {
    std::size_t request_line_bytes = 8 * 1024;
    std::size_t header_bytes = 16 * 1024;
    std::size_t header_count = 100;
    std::size_t chat_body_bytes = 4 * 1024 * 1024;
    std::size_t body_bytes = 256 * 1024;
    std::size_t unsent_stream_bytes = 256 * 1024;
    std::size_t connections = 12'000;
    std::size_t connections_per_address = 256;
    int header_timeout_ms = 10'000;
    int body_idle_timeout_ms = 15'000;
    int write_stall_timeout_ms = 30'000;
    int keep_alive_timeout_ms = 60'000;
};

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3000;          ///< 0 = any free port (tests).
    HttpLimits limits = {};
    std::string api_key = {};           ///< Empty = none; required on anything but loopback.
    std::vector<std::string> allowed_hosts = {};  ///< Besides loopback names and the bound address (DNS rebinding).
    std::string public_url = {};
    std::vector<std::string> trusted_proxies = {};
};

class Server {
  public:
    /// Binds and listens. @errors kBusy (port taken, with what to do), kPermissionDenied, kInvalidArgument.
    static Result<std::unique_ptr<Server>> listen(boost::asio::io_context& io, ServerOptions options,
                                                  std::vector<Route> routes);
    virtual ~Server() = default;

    virtual std::uint16_t port() const = 0;
    /// Closes the listener at once; idle connections end, busy ones finish their response.
    virtual void close() = 0;
    /// Ends every connection now.
    virtual void abort() = 0;
    virtual std::size_t connections() const = 0;
};

}  // namespace notso::web

// The HTTP server: connections, limits, time-outs, keep-alive. Routes come from outside.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "web/http/exchange.hpp"
#include "web/http/options.hpp"

namespace notso::web {

/// Lives on the thread that runs `io`; only port() may be called from elsewhere.
class Server {
  public:
    /// Binds and listens. @errors kBusy (port taken, with what to do), kPermissionDenied,
    /// kInvalidArgument.
    static Result<std::unique_ptr<Server>> listen(boost::asio::io_context& io,
                                                  ServerOptions options,
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

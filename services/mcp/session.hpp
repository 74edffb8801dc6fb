// McpSession: a conversation with one MCP server in JSON-RPC 2.0, whatever carries it. A server is
// hostile: everything that it sends has a limit, and nothing waits for it without a deadline.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "services/mcp/config.hpp"
#include "services/tools/tool.hpp"

namespace notso::services {

/// Largest message that a server may send.
inline constexpr std::size_t kMaxMcpMessageBytes = 4 * 1024 * 1024;

/// How long a request may take, and who may end it.
struct McpWait {
    SteadyClock::time_point deadline;
    std::stop_token stop = {};
    std::function<void(const ToolProgress&)> on_progress = {};
};

/// Thread-safe: many requests may be under way.
class McpSession {
  public:
    McpSession() = default;
    McpSession(const McpSession&) = delete;
    McpSession& operator=(const McpSession&) = delete;
    virtual ~McpSession() = default;

    /// Sends a request and waits for its result. One that is given up is cancelled at the server.
    /// @errors kUnavailable: the server is gone. kTimeout, kCancelled. kCorruptData: it does not
    ///         speak the protocol. kInvalidArgument: its own error, in its words.
    virtual Result<boost::json::object> request(std::string_view method,
                                                boost::json::object params,
                                                const McpWait& wait) = 0;
    /// @errors kUnavailable, kTimeout.
    virtual Result<> notify(std::string_view method, boost::json::object params) = 0;
    /// False: no request will succeed any more.
    virtual bool is_alive() const = 0;
    /// What initialize agreed on.
    virtual void set_protocol(std::string /*version*/) {}
};

/// Called on a thread of the session, soon after the server's tools changed.
using McpToolsChanged = std::function<void()>;

/// Starts the server as a child process. @errors kNotFound, kIo.
Result<std::shared_ptr<McpSession>> open_stdio_session(const McpServerConfig& config,
                                                       McpToolsChanged changed);
/// Nothing is sent yet.
std::shared_ptr<McpSession> open_http_session(const McpServerConfig& config);

}  // namespace notso::services

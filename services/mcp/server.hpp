// McpServer: one configured MCP server: started or reached when needed, asked for its tools, its
// calls, its state. One that fails is tried again when somebody uses it, later each time.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/serial_worker.hpp"
#include "services/mcp/config.hpp"
#include "services/mcp/session.hpp"
#include "services/tools/tool_box.hpp"

namespace notso::services {

enum class McpState : std::uint8_t { kStarting, kReady, kFailed };

/// For lists and pages.
struct McpStatus {
    std::string name;
    McpState state = McpState::kStarting;
    std::string detail = {};  ///< For kFailed: what is wrong.
    std::size_t n_tools = 0;
};

struct McpTimes {
    std::chrono::milliseconds start{20'000};  ///< For initialize and the list of tools.
    std::chrono::milliseconds call{60'000};
    std::chrono::milliseconds first_retry{1'000};  ///< Doubled after each failure…
    std::chrono::milliseconds last_retry{60'000};  ///< …up to this.
};

class McpServer final : public std::enable_shared_from_this<McpServer> {
  public:
    /// Begins to start it, on a thread of its own. The caller shuts it down.
    static std::shared_ptr<McpServer> create(McpServerConfig config, McpTimes times = {});
    McpServer(const McpServer&) = delete;
    McpServer& operator=(const McpServer&) = delete;
    /// Ends the server and its thread; calls fail from then on. Not from a task of its own.
    void shut_down();

    McpStatus status() const;
    /// Those of the last list; a server that died keeps them, so that a call starts it again.
    std::vector<ToolPtr> tools() const;

    /// Calls a tool by the server's name for it, starting the server if need be.
    /// @errors as McpSession::request.
    Result<ToolOutput> call(const std::string& tool,
                            boost::json::object arguments,
                            const ToolContext& context);

  private:
    using SessionPtr = std::shared_ptr<McpSession>;

    McpServer(McpServerConfig config, McpTimes times);
    /// The session, started if there is none. Of several callers one starts it, the others wait.
    Result<SessionPtr> session(const McpWait& wait);
    Result<SessionPtr> connect(const McpWait& wait);
    Result<SessionPtr> open();
    Result<> list_tools(McpSession& from, const McpWait& wait);
    void refresh();
    Error failed(Error error);

    const McpServerConfig config_;
    const McpTimes times_;
    std::stop_source stop_;
    mutable std::mutex mutex_;  // of what follows
    std::condition_variable connected_;
    bool connecting_ = false;
    SessionPtr session_;
    McpState state_ = McpState::kStarting;
    std::string detail_;
    std::vector<ToolPtr> tools_;
    int n_failures_ = 0;
    SteadyClock::time_point next_try_{};
    SerialWorker worker_;  // starts it and lists its tools; goes first
};

/// The tools of every configured server.
class McpClient final : public ToolSource {
  public:
    explicit McpClient(std::vector<McpServerConfig> servers, McpTimes times = {});
    ~McpClient() override;

    std::vector<ToolPtr> tools() const override;
    std::vector<McpStatus> status() const;

  private:
    std::vector<std::shared_ptr<McpServer>> servers_;
};

}  // namespace notso::services

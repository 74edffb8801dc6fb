// An MCP server as a child process: one message per line on its standard streams. A thread reads
// and hands answers to whoever waits for them; those who ask write themselves, one at a time.
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "services/mcp/rpc.hpp"
#include "services/mcp/session.hpp"
#include "services/process/child.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr milliseconds kWriteTime{5'000};
constexpr std::size_t kMaxPending = 64;
constexpr int kMaxGarbageLines = 100;
constexpr int kMaxLoggedLines = 200;

/// Pieces of a stream as lines.
class LineBuffer {
  public:
    /// False: a line is longer than `most`.
    template <class Handler>
    bool add(std::string_view bytes, std::size_t most, Handler&& handle) {
        for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
            if (line_.size() + end > most) return false;
            line_ += bytes.substr(0, end);
            handle(std::string_view(line_));
            line_.clear();
            bytes.remove_prefix(end + 1);
        }
        line_ += bytes;
        return line_.size() <= most;
    }

  private:
    std::string line_;
};

class StdioSession final : public McpSession {
  public:
    StdioSession(std::string name, ChildProcess child, McpToolsChanged changed)
        : name_(std::move(name)),
          child_(std::move(child)),
          changed_(std::move(changed)),
          wake_(::eventfd(0, EFD_CLOEXEC)),
          reader_([this] { read_all(); }) {
        pthread_setname_np(reader_.native_handle(), "notso-mcp-read");
    }

    ~StdioSession() override {
        end("the server was stopped");
        reader_.join();
        ::close(wake_);
    }

    Result<json::object> request(std::string_view method,
                                 json::object params,
                                 const McpWait& wait) override;

    Result<> notify(std::string_view method, json::object params) override {
        return write(rpc_notification(method, std::move(params)));
    }

    bool is_alive() const override { return alive_; }

  private:
    struct Waiting {
        std::optional<RpcMessage> answer;
        std::function<void(const ToolProgress&)> on_progress;
    };

    Result<RpcMessage> wait_for(std::int64_t id, const McpWait& wait);
    Result<> write(std::string message);
    void read_all();
    void take_line(std::string_view line);
    void take_error_line(std::string_view line);
    void end(std::string why);
    std::unexpected<Error> gone() const {
        return fail(ErrorCode::kUnavailable, "the MCP server {} is gone: {}", name_, why_);
    }

    const std::string name_;
    ChildProcess child_;
    const McpToolsChanged changed_;
    const int wake_;
    std::atomic<bool> alive_ = true;
    std::mutex write_mutex_;
    mutable std::mutex mutex_;  // of what follows
    std::condition_variable answered_;
    std::map<std::int64_t, Waiting> pending_;
    std::int64_t last_id_ = 0;
    std::string why_;
    int n_garbage_ = 0;  // the reader's
    int n_logged_ = 0;   // the reader's
    std::thread reader_;
};

Result<json::object> StdioSession::request(std::string_view method,
                                           json::object params,
                                           const McpWait& wait) {
    std::int64_t id = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!alive_) return gone();
        if (pending_.size() >= kMaxPending)
            return fail(ErrorCode::kOverloaded, "too many calls of {} are under way", name_);
        id = ++last_id_;
        pending_[id].on_progress = wait.on_progress;
    }
    if (wait.on_progress) params = with_progress_token(std::move(params), id);
    Result<RpcMessage> answer = RpcMessage{};
    if (const auto written = write(rpc_request(id, method, std::move(params))); !written)
        answer = std::unexpected(written.error());
    else
        answer = wait_for(id, wait);
    {
        const std::lock_guard lock(mutex_);
        pending_.erase(id);
    }
    if (!answer) {
        const bool gave_up = answer.error().code == ErrorCode::kCancelled ||
                             answer.error().code == ErrorCode::kTimeout;
        if (gave_up && method != "initialize")
            std::ignore = notify("notifications/cancelled", {{"requestId", id}});
        return std::unexpected(answer.error());
    }
    if (answer->error) return fail(ErrorCode::kInvalidArgument, "{}", *answer->error);
    return *std::move(answer->result);
}

Result<RpcMessage> StdioSession::wait_for(std::int64_t id, const McpWait& wait) {
    const std::stop_callback wake(wait.stop, [this] {
        {
            const std::lock_guard lock(mutex_);
        }
        answered_.notify_all();
    });
    std::unique_lock lock(mutex_);
    const auto is_over = [&] {
        return pending_[id].answer || !alive_ || wait.stop.stop_requested();
    };
    const bool over = answered_.wait_until(lock, wait.deadline, is_over);
    if (auto& answer = pending_[id].answer) return *std::move(answer);
    if (!alive_) return gone();
    if (!over) return fail(ErrorCode::kTimeout, "the MCP server {} did not answer in time", name_);
    return fail(ErrorCode::kCancelled, "cancelled");
}

Result<> StdioSession::write(std::string message) {
    message += '\n';
    const auto deadline = SteadyClock::now() + kWriteTime;
    std::unique_lock lock(write_mutex_);
    std::string_view rest = message;
    while (!rest.empty()) {
        if (!alive_) return fail(ErrorCode::kUnavailable, "the MCP server {} is gone", name_);
        const ssize_t count = ::write(child_.input_fd(), rest.data(), rest.size());
        if (count > 0) {
            rest.remove_prefix(static_cast<std::size_t>(count));
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            end("it reads no more");
        } else if (SteadyClock::now() >= deadline) {
            end("it does not read what it is sent");  // half a message may be there: no way on
        } else {
            constexpr int kStepMs = 50;
            pollfd writable{child_.input_fd(), POLLOUT, 0};
            ::poll(&writable, 1, kStepMs);
        }
    }
    return {};
}

/// Nothing is answered any more; the reader ends, and the child with it.
void StdioSession::end(std::string why) {
    {
        const std::lock_guard lock(mutex_);
        if (!alive_.exchange(false)) return;
        why_ = std::move(why);
    }
    child_.kill();
    answered_.notify_all();
    const std::uint64_t one = 1;
    std::ignore = ::write(wake_, &one, sizeof one);
}

void StdioSession::read_all() {
    LineBuffer lines;
    LineBuffer error_lines;
    std::array<char, 64 * 1024> bytes;
    bool errors_open = true;
    while (alive_) {
        pollfd fds[3] = {{child_.output_fd(), POLLIN, 0},
                         {errors_open ? child_.error_fd() : -1, POLLIN, 0},
                         {wake_, POLLIN, 0}};
        ::poll(fds, 3, -1);
        if (fds[1].revents != 0) {
            const ssize_t count = ::read(child_.error_fd(), bytes.data(), bytes.size());
            if (count == 0) errors_open = false;
            constexpr std::size_t kMostLine = 64 * 1024;
            const std::string_view text(bytes.data(),
                                        static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
            const auto take = [this](std::string_view line) { take_error_line(line); };
            if (!error_lines.add(text, kMostLine, take)) error_lines = {};
        }
        if (fds[0].revents == 0) continue;
        const ssize_t count = ::read(child_.output_fd(), bytes.data(), bytes.size());
        if (count == 0) return end("it ended");
        if (count < 0) continue;
        const std::string_view text(bytes.data(), static_cast<std::size_t>(count));
        const auto take = [this](std::string_view line) { take_line(line); };
        if (!lines.add(text, kMaxMcpMessageBytes, take)) return end("it sent a message over 4 MiB");
    }
}

void StdioSession::take_line(std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    auto message = parse_rpc(line);
    if (!message) {
        if (++n_garbage_ > kMaxGarbageLines) end("it does not speak the protocol");
        return;
    }
    if (const auto id = message->answered()) {
        const std::lock_guard lock(mutex_);
        const auto found = pending_.find(*id);
        if (found == pending_.end()) return;  // given up meanwhile, or never asked
        found->second.answer = *std::move(message);
        answered_.notify_all();
    } else if (auto progress = progress_of(*message)) {
        std::function<void(const ToolProgress&)> say;
        {
            const std::lock_guard lock(mutex_);
            const auto found = pending_.find(progress->first);
            if (found != pending_.end()) say = found->second.on_progress;
        }
        if (say) say(progress->second);
    } else if (message->method == "notifications/tools/list_changed") {
        changed_();
    } else if (!message->method.empty() && !message->id.is_null()) {
        std::ignore = write(rpc_answer(*message));
    }
}

void StdioSession::take_error_line(std::string_view line) {
    if (++n_logged_ > kMaxLoggedLines) return;
    log::info("event=mcp_server_says server={} line={}", log::field(name_), log::field(line));
}

}  // namespace

Result<std::shared_ptr<McpSession>> open_stdio_session(const McpServerConfig& config,
                                                       McpToolsChanged changed) {
    NOTSO_TRY(ChildProcess child,
              ChildProcess::start({.program = config.command,
                                   .arguments = config.arguments,
                                   .environment = config.environment}));
    return std::make_shared<StdioSession>(config.name, std::move(child), std::move(changed));
}

}  // namespace notso::services

// An MCP server over streamable HTTP: each message is a POST; its answer is JSON, or a stream of
// events with the answer among them. There is no standing stream: a server's own news (changed
// tools) are seen when it is reached anew.
#include <atomic>
#include <mutex>

#include "services/backend/sse_parser.hpp"
#include "services/mcp/rpc.hpp"
#include "services/mcp/session.hpp"
#include "services/net/http_client.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr milliseconds kNotifyTime{5'000};
constexpr milliseconds kCancelTime{1'000};

/// The answer to one request, looked for in what arrives.
struct Answer {
    std::int64_t id = 0;
    const std::function<void(const ToolProgress&)>* on_progress = nullptr;
    std::optional<RpcMessage> message = {};

    /// False once the answer is there.
    bool take(std::string_view text) {
        auto parsed = parse_rpc(text);
        if (!parsed) return true;
        if (parsed->answered() == id) {
            message = *std::move(parsed);
            return false;
        }
        const auto progress = progress_of(*parsed);
        if (progress && progress->first == id && *on_progress) (*on_progress)(progress->second);
        return true;
    }
};

class HttpSession final : public McpSession {
  public:
    explicit HttpSession(const McpServerConfig& config) : config_(config) {}

    Result<json::object> request(std::string_view method,
                                 json::object params,
                                 const McpWait& wait) override {
        const std::int64_t id = ++last_id_;
        if (wait.on_progress) params = with_progress_token(std::move(params), id);
        Answer answer{.id = id, .on_progress = &wait.on_progress};
        const auto sent = post(rpc_request(id, method, std::move(params)), wait, &answer);
        if (!sent) {
            const bool gave_up = sent.error().code == ErrorCode::kCancelled ||
                                 sent.error().code == ErrorCode::kTimeout;
            if (gave_up && method != "initialize") cancel(id);
            return std::unexpected(sent.error());
        }
        if (!answer.message)
            return fail(ErrorCode::kCorruptData, "the MCP server {} gave no answer", config_.name);
        if (answer.message->error)
            return fail(ErrorCode::kInvalidArgument, "{}", *answer.message->error);
        return *std::move(answer.message->result);
    }

    Result<> notify(std::string_view method, json::object params) override {
        return post(rpc_notification(method, std::move(params)),
                    {.deadline = SteadyClock::now() + kNotifyTime},
                    nullptr);
    }

    bool is_alive() const override { return alive_; }

    void set_protocol(std::string version) override {
        const std::lock_guard lock(mutex_);
        protocol_ = std::move(version);
    }

  private:
    void cancel(std::int64_t id) {
        std::ignore = post(rpc_notification("notifications/cancelled", {{"requestId", id}}),
                           {.deadline = SteadyClock::now() + kCancelTime},
                           nullptr);
    }

    HttpRequest make_request(std::string body, const McpWait& wait) const {
        HttpRequest request{.method = "POST", .url = config_.url, .headers = config_.headers};
        request.headers.push_back({"Content-Type", "application/json"});
        request.headers.push_back({"Accept", "application/json, text/event-stream"});
        {
            const std::lock_guard lock(mutex_);
            if (!id_.empty()) request.headers.push_back({"Mcp-Session-Id", id_});
            if (!protocol_.empty()) request.headers.push_back({"MCP-Protocol-Version", protocol_});
        }
        request.body = std::move(body);
        const auto left =
            std::chrono::duration_cast<milliseconds>(wait.deadline - SteadyClock::now());
        request.total_timeout = std::max(left, milliseconds{1});
        request.first_byte_timeout = request.silence_timeout = request.total_timeout;
        request.max_body_bytes = kMaxMcpMessageBytes;
        request.stop = wait.stop;
        return request;
    }

    /// @param answer  Filled in; null: none is expected.
    Result<> post(std::string body, const McpWait& wait, Answer* answer) {
        SseParser events;
        std::string whole;
        bool is_stream = false;
        Result<> parsed;
        HttpHandlers handlers;
        handlers.on_head = [&](const HttpHead& head) {
            is_stream = head.find("content-type").value_or("").starts_with("text/event-stream");
            if (head.is_success()) keep_session(head);
            return head.is_success() && answer ? HttpFlow::kContinue : HttpFlow::kStop;
        };
        handlers.on_data = [&](std::span<const char> bytes) {
            const std::string_view text(bytes.data(), bytes.size());
            if (!is_stream) {
                whole += text;
                return HttpFlow::kContinue;
            }
            parsed = events.push(text, [&](std::string_view data) { return answer->take(data); });
            return parsed && !answer->message ? HttpFlow::kContinue : HttpFlow::kStop;
        };
        NOTSO_TRY(const HttpReply reply, fetch(make_request(std::move(body), wait), handlers));
        NOTSO_CHECK(std::move(parsed));
        if (!reply.head.is_success()) return refused(reply.head.status);
        if (answer != nullptr && !is_stream) answer->take(whole);
        return {};
    }

    std::unexpected<Error> refused(int status) {
        constexpr int kSessionIsOver = 404;
        if (status == kSessionIsOver) alive_ = false;  // the next call begins anew
        return fail(ErrorCode::kUnavailable,
                    "the MCP server {} answers with status {}",
                    config_.name,
                    status);
    }

    void keep_session(const HttpHead& head) {
        constexpr std::size_t kMaxId = 1024;
        const auto id = head.find("mcp-session-id");
        const std::lock_guard lock(mutex_);
        if (id && id_.empty() && id->size() <= kMaxId) id_ = *id;
    }

    const McpServerConfig config_;
    std::atomic<std::int64_t> last_id_ = 0;
    std::atomic<bool> alive_ = true;
    mutable std::mutex mutex_;
    std::string id_;  // the server's name for this session
    std::string protocol_;
};

}  // namespace

std::shared_ptr<McpSession> open_http_session(const McpServerConfig& config) {
    return std::make_shared<HttpSession>(config);
}

}  // namespace notso::services

#include "services/mcp/server.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "services/mcp/mcp_tool.hpp"
#include "services/net/url.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTools = 128;
constexpr int kMaxPages = 32;
constexpr std::string_view kProtocol = "2025-06-18";

/// Where calls of a server go, for people.
std::string place_of(const McpServerConfig& config) {
    if (!config.is_remote()) return config.name + " (a program on this machine)";
    const auto url = parse_http_url(config.url);
    return url ? url->host_label() : config.name;
}

std::string text_in(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

}  // namespace

McpServer::McpServer(McpServerConfig config, McpTimes times)
    : config_(std::move(config)), times_(times), worker_("notso-mcp") {}

std::shared_ptr<McpServer> McpServer::create(McpServerConfig config, McpTimes times) {
    const std::shared_ptr<McpServer> server(new McpServer(std::move(config), times));
    server->worker_.post([raw = server.get()] {
        std::ignore = raw->session(
            {.deadline = SteadyClock::now() + raw->times_.start, .stop = raw->stop_.get_token()});
    });
    return server;
}

void McpServer::shut_down() {
    stop_.request_stop();
    worker_.stop();
    SessionPtr ended;
    {
        const std::lock_guard lock(mutex_);
        ended.swap(session_);
    }
    ended.reset();  // without the lock: it waits for its reader
}

McpStatus McpServer::status() const {
    const std::lock_guard lock(mutex_);
    McpStatus out{
        .name = config_.name, .state = state_, .detail = detail_, .n_tools = tools_.size()};
    if (state_ == McpState::kReady && session_ && !session_->is_alive()) {
        out.state = McpState::kFailed;
        out.detail = "the server ended; it is started again when one of its tools is used";
    }
    return out;
}

std::vector<ToolPtr> McpServer::tools() const {
    const std::lock_guard lock(mutex_);
    return tools_;
}

Error McpServer::failed(Error error) {
    const std::lock_guard lock(mutex_);
    constexpr int kMostDoublings = 10;
    const auto delay = times_.first_retry * (1 << std::min(n_failures_, kMostDoublings));
    ++n_failures_;
    next_try_ = SteadyClock::now() + std::min(delay, times_.last_retry);
    state_ = McpState::kFailed;
    detail_ = error.detail;
    log::warn("event=mcp_failed server={} why={}", log::field(config_.name), log::field(detail_));
    return error;
}

Result<McpServer::SessionPtr> McpServer::session(const McpWait& wait) {
    std::unique_lock lock(mutex_);
    if (!connected_.wait_until(lock, wait.deadline, [this] { return !connecting_; }))
        return fail(ErrorCode::kTimeout, "the MCP server {} is still starting", config_.name);
    if (stop_.stop_requested())
        return fail(ErrorCode::kUnavailable, "the MCP server {} was shut down", config_.name);
    if (session_ && session_->is_alive()) return session_;
    if (SteadyClock::now() < next_try_) {
        return fail(ErrorCode::kUnavailable,
                    "the MCP server {} does not work: {}; try later",
                    config_.name,
                    detail_);
    }
    connecting_ = true;
    state_ = McpState::kStarting;
    SessionPtr dead = std::move(session_);
    lock.unlock();
    dead.reset();  // waits for its reader, which may want the lock
    auto made = connect(wait);
    if (!made) made = std::unexpected(failed(std::move(made).error()));
    lock.lock();
    connecting_ = false;
    connected_.notify_all();
    if (!made) return made;
    session_ = *made;
    state_ = McpState::kReady;
    n_failures_ = 0;
    log::info("event=mcp_ready server={} tools={}", log::field(config_.name), tools_.size());
    return session_;
}

Result<McpServer::SessionPtr> McpServer::open() {
    if (config_.is_remote()) return open_http_session(config_);
    return open_stdio_session(config_, [weak = weak_from_this()] {
        if (const auto server = weak.lock())
            server->worker_.post([raw = server.get()] { raw->refresh(); });
    });
}

Result<McpServer::SessionPtr> McpServer::connect(const McpWait& asked) {
    McpWait wait = asked;
    wait.on_progress = {};
    wait.deadline = std::min(wait.deadline, SteadyClock::now() + times_.start);
    NOTSO_TRY(SessionPtr session, open());
    NOTSO_TRY(const json::object agreed,
              session->request("initialize",
                               {{"protocolVersion", kProtocol},
                                {"capabilities", json::object{}},
                                {"clientInfo", {{"name", "notso"}, {"version", "1"}}}},
                               wait));
    const std::string version = text_in(agreed, "protocolVersion");
    if (version.empty() || version.size() > 32)
        return fail(ErrorCode::kCorruptData, "it names no version of the protocol");
    session->set_protocol(version);
    NOTSO_CHECK(session->notify("notifications/initialized", {}));
    const json::value* offers = agreed.if_contains("capabilities");
    const bool has_tools =
        offers != nullptr && offers->is_object() && offers->get_object().contains("tools");
    if (has_tools) NOTSO_CHECK(list_tools(*session, wait));
    return session;
}

Result<> McpServer::list_tools(McpSession& from, const McpWait& wait) {
    std::vector<ToolPtr> found;
    json::object params;
    for (int page = 0; page < kMaxPages; ++page) {
        NOTSO_TRY(const json::object result, from.request("tools/list", params, wait));
        const json::value* list = result.if_contains("tools");
        if (list == nullptr || !list->is_array())
            return fail(ErrorCode::kCorruptData, "its list of tools is none");
        for (const json::value& entry : list->get_array()) {
            if (found.size() >= kMaxTools) break;
            ToolPtr tool = make_mcp_tool(
                entry, config_.name, place_of(config_), weak_from_this(), times_.call);
            const bool is_new = tool && std::ranges::none_of(found, [&](const ToolPtr& other) {
                                    return other->info().name == tool->info().name;
                                });
            if (is_new) found.push_back(std::move(tool));
        }
        const std::string cursor = text_in(result, "nextCursor");
        if (cursor.empty() || found.size() >= kMaxTools) break;
        params["cursor"] = cursor;
    }
    const std::lock_guard lock(mutex_);
    tools_ = std::move(found);
    return {};
}

/// On the worker: the server said that its tools changed.
void McpServer::refresh() {
    SessionPtr session;
    {
        const std::lock_guard lock(mutex_);
        session = session_;
    }
    if (!session) return;
    const McpWait wait{.deadline = SteadyClock::now() + times_.start, .stop = stop_.get_token()};
    if (const auto listed = list_tools(*session, wait); !listed)
        log::warn("event=mcp_list_failed server={} why={}",
                  log::field(config_.name),
                  log::field(listed.error().detail));
}

Result<ToolOutput> McpServer::call(const std::string& tool,
                                   json::object arguments,
                                   const ToolContext& context) {
    const McpWait wait{
        .deadline = context.deadline, .stop = context.stop, .on_progress = context.on_progress};
    NOTSO_TRY(const SessionPtr with, session(wait));
    NOTSO_TRY(
        const json::object result,
        with->request("tools/call", {{"name", tool}, {"arguments", std::move(arguments)}}, wait));
    return mcp_output(result);
}

McpClient::McpClient(std::vector<McpServerConfig> servers, McpTimes times) {
    for (McpServerConfig& config : servers)
        servers_.push_back(McpServer::create(std::move(config), times));
}

McpClient::~McpClient() {
    for (const auto& server : servers_) server->shut_down();
}

std::vector<ToolPtr> McpClient::tools() const {
    std::vector<ToolPtr> out;
    for (const auto& server : servers_) std::ranges::move(server->tools(), std::back_inserter(out));
    return out;
}

std::vector<McpStatus> McpClient::status() const {
    std::vector<McpStatus> out;
    for (const auto& server : servers_) out.push_back(server->status());
    return out;
}

}  // namespace notso::services

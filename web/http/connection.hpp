// One client connection: reads requests one after the other, has them checked and answered, keeps
// alive or closes.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <unordered_set>
#include <variant>

#include "web/http/channel.hpp"
#include "web/http/head_scanner.hpp"
#include "web/http/router.hpp"
#include "web/http/upload_file.hpp"
#include "web/middleware/request_guard.hpp"
#include "web/middleware/visitors.hpp"

namespace notso::web {

class Connection;

/// What all connections of a server share. Lives on the io thread; outlives its connections.
struct ServerState {
    ServerOptions options;
    Router router;
    RequestGuard guard;
    Visitors visitors;
    bool closing = false;
    std::unordered_set<Connection*> connections = {};
};

class Connection {
  public:
    /// Registers itself in `state` until it is destroyed.
    Connection(std::shared_ptr<ServerState> state,
               std::shared_ptr<Channel> channel,
               std::string peer);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Serves requests until the connection ends.
    Awaitable<> run();
    /// Ends it now when it is between two requests; else after the response under way.
    void close_when_idle();
    void kill() { channel_->kill(); }
    const std::string& peer() const { return peer_; }

  private:
    struct Job {
        RequestHead head;
        Request request;
        const Route* route = nullptr;
        std::optional<Header> set_cookie = {};  // of the response
        bool api = false;                       // errors are JSON
        std::unique_ptr<UploadFile> file = {};  // where the body goes, if not into the request
    };
    enum class Next { kKeepAlive, kLinger, kGone };

    Awaitable<Next> serve_one();
    Awaitable<bool> read_head(HeadScanner& scanner);
    std::optional<Rejection> prepare(Job& job);
    std::optional<Rejection> prepare_target(Job& job);
    std::optional<Rejection> prepare_route(Job& job, std::string_view path);
    Awaitable<std::optional<Rejection>> read_body(Job& job);
    Awaitable<std::optional<Rejection>> read_sized_body(Job& job);
    Awaitable<std::optional<Rejection>> read_chunked_body(Job& job, std::size_t limit);
    Awaitable<std::optional<Rejection>> fill_body();
    static Result<> open_upload(Job& job);
    static std::optional<Rejection> store_upload(Job& job);
    Awaitable<Next> answer(Job& job);
    Awaitable<> refuse(const Job& job, Rejection rejection);
    std::size_t body_limit(const Job& job) const;
    static bool goes_to_disk(const Job& job);

    std::shared_ptr<ServerState> state_;
    std::shared_ptr<Channel> channel_;
    std::string peer_;
    bool first_ = true;
    bool idle_ = true;
};

}  // namespace notso::web

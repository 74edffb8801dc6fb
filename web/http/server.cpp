// Listening and admission: who gets a connection, how many, and how the server ends.
#include "web/http/server.hpp"

#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <unordered_map>

#include "base/log.hpp"
#include "web/http/connection.hpp"
#include "web/http/connection_exchange.hpp"
#include "web/middleware/error_mapping.hpp"

namespace notso::web {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr int kBacklog = 1024;
constexpr int kRejectLingerMs = 500;
constexpr std::size_t kMaxRejects =
    256;  // refused connections that still get a polite 503 at one time
constexpr std::chrono::milliseconds kAcceptPause{100};

/// What the accept loop and the connections share beside ServerState.
struct Admission {
    std::shared_ptr<ServerState> state;
    tcp::acceptor acceptor;
    std::unordered_map<std::string, std::size_t> per_address = {};
    std::unordered_set<Channel*> rejects = {};
};

void log_escaped(std::exception_ptr escaped, std::string_view where) {
    if (!escaped) return;
    try {
        std::rethrow_exception(escaped);
    } catch (const std::exception& error) {
        log::error("{} ended by an exception what={}", where, log::field(error.what()));
    }
}

std::string address_of(const tcp::socket& socket) {
    error_code failure;
    const auto endpoint = socket.remote_endpoint(failure);
    if (failure) return {};
    const auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    return address.to_string();
}

Awaitable<> serve_connection(std::shared_ptr<Admission> admission,
                             tcp::socket socket,
                             std::string peer) {
    ++admission->per_address[peer];
    auto channel = std::make_shared<Channel>(
        std::move(socket), admission->state->options.limits.write_stall_timeout_ms);
    {
        Connection connection(admission->state, std::move(channel), peer);
        try {
            co_await connection.run();
        } catch (const std::exception& error) {
            log::error("connection ended by an exception what={}", log::field(error.what()));
        }
    }
    if (--admission->per_address[peer] == 0) admission->per_address.erase(peer);
}

Awaitable<> reject_connection(std::shared_ptr<Admission> admission, tcp::socket socket) {
    auto channel = std::make_shared<Channel>(std::move(socket), kRejectLingerMs);
    admission->rejects.insert(channel.get());
    {
        Request request;
        ConnectionExchange::Options options;
        options.keep_alive = false;
        ConnectionExchange exchange(*channel, request, options);
        const Error why{ErrorCode::kOverloaded, "too many connections; try again in a moment"};
        Response response = plain_error_page(503, why);
        response.headers.push_back({"Retry-After", "1"});
        co_await exchange.respond(std::move(response));
    }
    co_await channel->linger_close(kRejectLingerMs);
    admission->rejects.erase(channel.get());
}

bool is_full(const Admission& admission, const std::string& peer) {
    const HttpLimits& limits = admission.state->options.limits;
    if (admission.state->connections.size() >= limits.connections) return true;
    const auto found = admission.per_address.find(peer);
    const std::size_t mine = found == admission.per_address.end() ? 0 : found->second;
    return mine >= limits.connections_per_address && !admission.state->guard.is_trusted_proxy(peer);
}

void admit(const std::shared_ptr<Admission>& admission, tcp::socket socket) {
    std::string peer = address_of(socket);
    const auto executor = admission->acceptor.get_executor();
    const auto ended = [](std::exception_ptr escaped) { log_escaped(escaped, "connection"); };
    if (!is_full(*admission, peer)) {
        asio::co_spawn(
            executor, serve_connection(admission, std::move(socket), std::move(peer)), ended);
    } else if (admission->rejects.size() < kMaxRejects) {
        asio::co_spawn(executor, reject_connection(admission, std::move(socket)), ended);
    }
}

Awaitable<> accept_loop(std::shared_ptr<Admission> admission) {
    while (true) {
        auto [failure, socket] = co_await admission->acceptor.async_accept(kAwait);
        if (!admission->acceptor.is_open()) co_return;
        if (!failure) {
            admit(admission, std::move(socket));
            continue;
        }
        // Out of descriptors, mostly: connections that end make room.
        if (failure != asio::error::connection_aborted) {
            log::warn("accept failed why={}", log::field(failure.message()));
            asio::steady_timer pause(admission->acceptor.get_executor(), kAcceptPause);
            co_await pause.async_wait(kAwait);
        }
    }
}

class BeastServer final : public Server {
  public:
    explicit BeastServer(std::shared_ptr<Admission> admission)
        : admission_(std::move(admission)), port_(admission_->acceptor.local_endpoint().port()) {
        asio::co_spawn(admission_->acceptor.get_executor(),
                       accept_loop(admission_),
                       [](std::exception_ptr escaped) { log_escaped(escaped, "accept loop"); });
    }
    ~BeastServer() override {
        close();
        abort();
    }

    std::uint16_t port() const override { return port_; }

    void close() override {
        error_code ignored;
        admission_->acceptor.close(ignored);
        admission_->state->closing = true;
        for (Connection* connection : snapshot()) connection->close_when_idle();
    }

    void abort() override {
        for (Connection* connection : snapshot()) connection->kill();
    }

    std::size_t connections() const override { return admission_->state->connections.size(); }

  private:
    std::vector<Connection*> snapshot() const {
        const auto& all = admission_->state->connections;
        return {all.begin(), all.end()};
    }

    std::shared_ptr<Admission> admission_;
    std::uint16_t port_;
};

/// Systems give processes 1,024 descriptors to start with, but let them ask for as many as our
/// limit needs.
void allow_descriptors(std::size_t connections) {
    constexpr rlim_t kOthers = 512;  // files, the database, the backend
    const rlim_t wanted = connections + kOthers;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(limit.rlim_max, wanted);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
        log::warn("fewer descriptors than connections allowed descriptors={}", limit.rlim_cur);
    }
}

Result<tcp::endpoint> resolve(asio::io_context& io, const ServerOptions& options) {
    error_code failure;
    // One address, so that "localhost" means the same on machines with and without IPv6.
    const std::string host = options.host == "localhost" ? "127.0.0.1" : options.host;
    const auto address = asio::ip::make_address(
        host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host,
        failure);
    if (!failure) return tcp::endpoint(address, options.port);
    tcp::resolver resolver(io);
    const auto found = resolver.resolve(host, std::to_string(options.port), failure);
    if (failure || found.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "--host {} is no address of this machine",
                    log::field(options.host));
    }
    return found.begin()->endpoint();
}

Result<> bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
    error_code failure;
    acceptor.open(endpoint.protocol(), failure);
    if (!failure) acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure) acceptor.bind(endpoint, failure);
    if (!failure) acceptor.listen(kBacklog, failure);
    if (!failure) return {};
    const std::string where =
        fmt::format("{} port {}", endpoint.address().to_string(), endpoint.port());
    if (failure == asio::error::address_in_use) {
        return fail(ErrorCode::kBusy,
                    "{} is taken by another program: stop it, or choose another with --port",
                    where);
    }
    if (failure == asio::error::access_denied) {
        return fail(ErrorCode::kPermissionDenied,
                    "may not listen on {}: choose a port above 1023 with --port",
                    where);
    }
    return fail(ErrorCode::kInvalidArgument, "can't listen on {}: {}", where, failure.message());
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(asio::io_context& io,
                                               ServerOptions options,
                                               std::vector<Route> routes) {
    NOTSO_TRY(const tcp::endpoint endpoint, resolve(io, options));
    NOTSO_CHECK(check_binding(endpoint.address().is_loopback(), options));
    tcp::acceptor acceptor(io);
    NOTSO_CHECK(bind(acceptor, endpoint));
    allow_descriptors(options.limits.connections);
    RequestGuard guard(options);
    const Visitors visitors(options);
    auto state = std::make_shared<ServerState>(
        ServerState{std::move(options), Router(std::move(routes)), std::move(guard), visitors});
    auto admission = std::make_shared<Admission>(Admission{std::move(state), std::move(acceptor)});
    return std::make_unique<BeastServer>(std::move(admission));
}

}  // namespace notso::web

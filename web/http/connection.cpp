#include "web/http/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "web/http/chunk_decoder.hpp"
#include "web/http/connection_exchange.hpp"
#include "web/http/url.hpp"
#include "web/middleware/error_mapping.hpp"

namespace notso::web {
namespace {

namespace asio = boost::asio;

constexpr int kLingerMs = 2000;

ErrorCode code_of(int status) {
    if (status == 413 || status == 414 || status == 431) return ErrorCode::kTooLarge;
    return status == 408 ? ErrorCode::kTimeout : ErrorCode::kInvalidArgument;
}

Rejection reject(int status, std::string detail) {
    return Rejection{status, Error{code_of(status), std::move(detail)}, {}};
}

/// Repeated headers become one list; cookies are joined as browsers would send them.
void fold_headers(std::vector<Header> list, std::map<std::string, std::string>& out) {
    for (auto& [name, value] : list) {
        const auto [place, fresh] = out.try_emplace(std::move(name), value);
        if (!fresh) place->second.append(place->first == "cookie" ? "; " : ", ").append(value);
    }
}

std::string allow_list(const std::vector<Method>& methods) {
    std::string out;
    for (const Method method : methods) {
        if (!out.empty()) out += ", ";
        out += to_string(method);
    }
    return out;
}

bool wants_json(const Request& request, bool api) {
    return api || request.path.starts_with("/v1/") || request.path.starts_with("/api/") ||
           media_type(request.header("accept")) == "application/json";
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerState> state,
                       std::shared_ptr<Channel> channel,
                       std::string peer)
    : state_(std::move(state)), channel_(std::move(channel)), peer_(std::move(peer)) {
    state_->connections.insert(this);
}

Connection::~Connection() {
    state_->connections.erase(this);
    channel_->kill();
}

void Connection::close_when_idle() {
    if (idle_) channel_->kill();
}

Awaitable<> Connection::run() {
    auto next = Next::kKeepAlive;
    while (next == Next::kKeepAlive) {
        // Pipelined requests of one client take turns with everybody else's.
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        next = co_await serve_one();
    }
    if (next == Next::kLinger) co_await channel_->linger_close(kLingerMs);
}

Awaitable<Connection::Next> Connection::serve_one() {
    HeadScanner scanner(state_->options.limits);
    if (!co_await read_head(scanner)) co_return Next::kGone;
    idle_ = false;
    Job job;
    job.request.remote_address = peer_;
    job.request.request_id = random_id();
    std::optional<Rejection> rejection;
    if (scanner.failure()) {
        rejection = reject(scanner.failure()->status, scanner.failure()->detail);
    } else if (!scanner.done()) {
        rejection = reject(408, "the request head did not arrive in time");
    } else {
        job.head = scanner.take();
        rejection = prepare(job);
    }
    if (!rejection) rejection = co_await read_body(job);
    channel_->disarm();
    if (rejection) {
        co_await refuse(job, std::move(*rejection));
        co_return channel_->dead() ? Next::kGone : Next::kLinger;
    }
    co_return co_await answer(job);
}

/// False when the client went away, or sent nothing in time: then nobody waits for an answer.
Awaitable<bool> Connection::read_head(HeadScanner& scanner) {
    const HttpLimits& limits = state_->options.limits;
    idle_ = channel_->input().empty();
    if (idle_ && state_->closing) co_return false;
    channel_->arm(first_ || !idle_ ? limits.header_timeout_ms : limits.keep_alive_timeout_ms);
    bool waiting = idle_ && !first_;
    first_ = false;
    while (true) {
        std::string& input = channel_->input();
        input.erase(0, scanner.feed(input));
        if (scanner.done() || scanner.failure()) co_return true;
        const auto got = co_await channel_->fill();
        if (got == Channel::Read::kTimedOut) co_return scanner.started();
        if (got == Channel::Read::kClosed) co_return false;
        idle_ = false;
        if (waiting) channel_->arm(limits.header_timeout_ms);  // from the first byte on
        waiting = false;
    }
}

std::optional<Rejection> Connection::prepare(Job& job) {
    job.request.method = parse_method(job.head.method);
    fold_headers(std::move(job.head.headers), job.request.headers);
    job.request.remote_address = state_->guard.client_address(job.request, peer_);
    return prepare_target(job);
}

std::optional<Rejection> Connection::prepare_target(Job& job) {
    const auto target = split_target(job.head.target);
    if (!target) return reject(400, target.error().detail);
    auto path = decode_path(target->path);
    if (!path) return reject(400, path.error().detail);
    job.request.path = std::move(*path);
    auto query = parse_form(target->query);
    if (!query) return reject(400, query.error().detail);
    job.request.query = std::move(*query);
    if (!target->authority.empty()) {
        if (auto refused = state_->guard.check_host(target->authority)) return refused;
    }
    // Only programs of the HTTP/1.0 age send none (the scanner saw to that); browsers always do.
    if (job.request.headers.contains("host")) {
        if (auto refused = state_->guard.check_host(job.request.header("host"))) return refused;
    }
    return prepare_route(job, target->path);
}

std::optional<Rejection> Connection::prepare_route(Job& job, std::string_view path) {
    auto match = state_->router.find(job.request.method, path);
    if (!match) return reject(400, match.error().detail);
    job.api = match->api;
    if (match->route != nullptr) {
        job.route = match->route;
        job.request.params = std::move(match->params);
        job.set_cookie = state_->visitors.identify(job.request, *job.route);
        return state_->guard.check(job.request, *job.route, job.head.has_body());
    }
    if (match->allowed.empty()) {
        return Rejection{
            404, Error{ErrorCode::kNotFound, "there is nothing at " + job.request.path}, {}};
    }
    auto refused = reject(405, fmt::format("{} does not take this method", job.request.path));
    refused.headers.push_back({"Allow", allow_list(match->allowed)});
    return refused;
}

bool Connection::goes_to_disk(const Job& job) {
    if (job.route->body == BodyLimit::kFile) return true;
    return job.route->body == BodyLimit::kForm &&
           media_type(job.request.header("content-type")) == "multipart/form-data";
}

std::size_t Connection::body_limit(const Job& job) const {
    const HttpLimits& limits = state_->options.limits;
    if (job.route->body == BodyLimit::kFile) return limits.file_body_bytes;
    if (goes_to_disk(job)) return limits.form_body_bytes;
    return job.route->body == BodyLimit::kSmall ? limits.body_bytes : limits.chat_body_bytes;
}

Awaitable<std::optional<Rejection>> Connection::read_body(Job& job) {
    const std::size_t limit = body_limit(job);
    if (job.head.content_length.value_or(0) > limit) {
        co_return reject(
            413, fmt::format("the body has more than the {} bytes that are allowed here", limit));
    }
    if (!job.head.has_body()) co_return std::nullopt;
    if (goes_to_disk(job)) {
        Result<> opened = open_upload(job);
        if (!opened) co_return Rejection{http_status(opened.error().code), opened.error(), {}};
    }
    if (job.head.expects_continue && channel_->input().empty()) {
        channel_->push("HTTP/1.1 100 Continue\r\n\r\n");
        co_await channel_->drain();
    }
    if (job.head.chunked) co_return co_await read_chunked_body(job, limit);
    co_return co_await read_sized_body(job);
}

Result<> Connection::open_upload(Job& job) {
    NOTSO_TRY(const std::filesystem::path path, job.route->upload_path());
    NOTSO_TRY(job.file, UploadFile::create(path));
    job.request.body_file = path;
    return {};
}

/// What has come so far goes to the disk, where the route wants that.
std::optional<Rejection> Connection::store_upload(Job& job) {
    if (!job.file) return std::nullopt;
    const Result<> written = job.file->write(std::exchange(job.request.body, {}));
    if (written) return std::nullopt;
    return Rejection{http_status(written.error().code), written.error(), {}};
}

Awaitable<std::optional<Rejection>> Connection::fill_body() {
    channel_->arm(state_->options.limits.body_idle_timeout_ms);
    const auto got = co_await channel_->fill();
    if (got == Channel::Read::kTimedOut) co_return reject(408, "the body did not arrive in time");
    if (got == Channel::Read::kClosed) {
        channel_->kill();
        co_return reject(400, "the body is incomplete");
    }
    co_return std::nullopt;
}

Awaitable<std::optional<Rejection>> Connection::read_sized_body(Job& job) {
    const auto size = static_cast<std::size_t>(*job.head.content_length);
    std::size_t received = 0;
    while (true) {
        std::string& input = channel_->input();
        const std::size_t count = std::min(size - received, input.size());
        job.request.body.append(input, 0, count);
        input.erase(0, count);
        received += count;
        if (auto failed = store_upload(job)) co_return failed;
        if (received == size) co_return std::nullopt;
        if (auto failed = co_await fill_body()) co_return failed;
    }
}

Awaitable<std::optional<Rejection>> Connection::read_chunked_body(Job& job, std::size_t limit) {
    ChunkDecoder decoder(state_->options.limits, limit);
    while (true) {
        std::string& input = channel_->input();
        input.erase(0, decoder.feed(input, job.request.body));
        if (decoder.failure())
            co_return reject(decoder.failure()->status, decoder.failure()->detail);
        if (auto failed = store_upload(job)) co_return failed;
        if (decoder.done()) co_return std::nullopt;
        if (auto failed = co_await fill_body()) co_return failed;
    }
}

Awaitable<Connection::Next> Connection::answer(Job& job) {
    ConnectionExchange::Options options;
    options.keep_alive = job.head.keep_alive && !state_->closing;
    options.http_1_0 = job.head.http_1_0;
    options.unsent_limit = state_->options.limits.unsent_stream_bytes;
    options.set_cookie = job.set_cookie;
    const auto start = SteadyClock::now();
    ConnectionExchange exchange(*channel_, job.request, options);
    std::string thrown;
    try {
        co_await job.route->handler(exchange);
        if (exchange.unanswered() && !channel_->dead()) thrown = "the handler gave no answer";
    } catch (const std::exception& error) {
        thrown = error.what();
    }
    if (!thrown.empty())
        log::error("handler failed request={} what={}", job.request.request_id, log::field(thrown));
    if (!thrown.empty() && exchange.unanswered()) {
        Rejection failure{
            500, Error{ErrorCode::kInternal, "the server made a mistake; its log says more"}, {}};
        co_await refuse(job, std::move(failure));
        co_return Next::kLinger;
    }
    const std::chrono::duration<double, std::milli> spent = SteadyClock::now() - start;
    log::debug("request method={} path={} status={} ms={:.1f} client={} id={}",
               to_string(job.request.method),
               log::field(job.request.path),
               exchange.status(),
               spent.count(),
               log::field(job.request.remote_address),
               job.request.request_id);
    if (exchange.keep_alive()) co_return Next::kKeepAlive;
    // A stream that stopped in the middle must look cut to the client: no polite ending.
    co_return exchange.complete() && !channel_->dead() ? Next::kLinger : Next::kGone;
}

Awaitable<> Connection::refuse(const Job& job, Rejection rejection) {
    ConnectionExchange::Options options;
    options.keep_alive = false;
    ConnectionExchange exchange(*channel_, job.request, options);
    const ErrorPage& page = state_->options.error_page;
    Response response;
    if (wants_json(job.request, job.api)) {
        response = api_error(rejection.status, rejection.error);
    } else {
        response = page ? page(job.request, rejection.status, rejection.error)
                        : plain_error_page(rejection.status, rejection.error);
    }
    response.status = rejection.status;
    for (Header& header : rejection.headers) response.headers.push_back(std::move(header));
    log::info("request refused status={} why={} path={} client={} id={}",
              rejection.status,
              log::field(rejection.error.detail),
              log::field(job.request.path),
              log::field(job.request.remote_address),
              job.request.request_id);
    co_await exchange.respond(std::move(response));
}

}  // namespace notso::web

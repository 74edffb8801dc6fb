#include "web/http/connection_exchange.hpp"

#include "base/log.hpp"

namespace notso::web {
namespace {

std::unexpected<Error> gone() { return fail(ErrorCode::kCancelled, "the client is gone"); }

}  // namespace

Awaitable<> ConnectionExchange::respond(Response response) {
    if (phase_ != Phase::kOpen) {
        log::error("a handler answered twice request={}", request_.request_id);
        co_return;
    }
    phase_ = Phase::kDone;
    status_ = response.status;
    const bool with_body = request_.method != Method::kHead && !is_bodiless(response.status);
    std::string body = std::move(response.body);
    response.body.clear();
    if (options_.set_cookie) response.headers.push_back(*options_.set_cookie);
    HeadOptions options;
    options.keep_alive = options_.keep_alive;
    options.request_id = request_.request_id;
    options.body_bytes = body.size();
    std::string bytes = serialize_head(std::move(response), options);
    if (with_body) bytes += body;
    channel_.push(bytes);
    body = std::string();
    bytes = std::string();
    co_await channel_.drain();
}

Awaitable<Result<>> ConnectionExchange::start_stream(Response head) {
    if (phase_ != Phase::kOpen) co_return fail(ErrorCode::kInternal, "a handler answered twice");
    status_ = head.status;
    if (options_.set_cookie) head.headers.push_back(*options_.set_cookie);
    chunked_ = !options_.http_1_0;
    if (!chunked_) options_.keep_alive = false;
    HeadOptions options;
    options.framing = chunked_ ? Framing::kChunked : Framing::kUntilClose;
    options.keep_alive = options_.keep_alive;
    options.request_id = request_.request_id;
    channel_.push(serialize_head(std::move(head), options));
    if (request_.method == Method::kHead) {
        phase_ = Phase::kDone;
        co_return fail(ErrorCode::kCancelled, "HEAD has no body");
    }
    phase_ = Phase::kStreaming;
    if (!watching_) on_disconnect([] {});
    if (channel_.dead()) co_return gone();
    co_return Result<>{};
}

Awaitable<Result<>> ConnectionExchange::write(std::string_view piece) {
    if (phase_ != Phase::kStreaming || channel_.dead()) co_return gone();
    if (piece.empty()) co_return Result<>{};
    const std::size_t size = piece.size();
    if (channel_.unsent() > 0 && channel_.unsent() + size > options_.unsent_limit) {
        if (size <= options_.unsent_limit) {
            log::info("slow reader dropped request={} unsent_bytes={}",
                      request_.request_id,
                      channel_.unsent());
            channel_.kill();
            co_return gone();
        }
        co_await channel_.drain();
    }
    if (chunked_) {
        channel_.push(encode_chunk(piece));
    } else {
        channel_.push(piece);
    }
    if (size > options_.unsent_limit) co_await channel_.drain();
    if (channel_.dead()) co_return gone();
    co_return Result<>{};
}

Awaitable<> ConnectionExchange::finish() {
    if (phase_ != Phase::kStreaming) co_return;
    phase_ = Phase::kDone;
    if (chunked_) channel_.push(kLastChunk);
    co_await channel_.drain();
}

void ConnectionExchange::on_disconnect(std::function<void()> gone) {
    watching_ = true;
    channel_.watch(std::move(gone));
}

}  // namespace notso::web

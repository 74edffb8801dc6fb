// Which failures are worth another attempt is decided here, and nowhere else.
#include "services/backend/remote_call.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/log.hpp"
#include "base/utf8.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxErrorBytes = 64 * 1024;
constexpr std::uint64_t kMaxStreamBytes = std::uint64_t{1} << 30;

bool is_event_stream(const HttpHead& head) {
    return head.find("content-type").value_or("").starts_with("text/event-stream");
}

/// Retry-After in seconds; a date is not worth a calendar.
std::optional<std::chrono::milliseconds> wanted_wait(const HttpHead& head) {
    const std::string_view text = head.find("retry-after").value_or("");
    std::int64_t seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return {};
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 86'400));
}

ErrorCode code_of(int status) {
    if (status == 400 || status == 422) return ErrorCode::kInvalidArgument;
    if (status == 413) return ErrorCode::kTooLarge;
    if (status == 429) return ErrorCode::kOverloaded;
    return ErrorCode::kUnavailable;
}

/// What a person can do about a refusal.
std::string_view advice_for(int status) {
    if (status < 400) return "use the address that it redirects to";
    if (status == 401 || status == 403) return "set the right key in NOTSO_REMOTE_KEY";
    if (status == 404) return "check --remote-url (it usually ends in /v1) and --remote-model";
    if (status == 429) return "it has too much to do: try again later";
    if (status >= 500) return "look at its log, or try again";
    return "change the request";
}

}  // namespace

RemoteCall::RemoteCall(RemoteServer& server,
                       const RemoteJob& job,
                       ChatEventHandler& handler,
                       std::stop_token stop)
    : server_(server), job_(job), handler_(handler), stop_(std::move(stop)) {}

chat_event::End RemoteCall::run() {
    const RemoteOptions& options = server_.options;
    const auto accepted = SteadyClock::now();
    auto backoff = options.first_backoff;
    for (std::int32_t retries = 0;; ++retries) {
        handler_(chat_event::Queued{0});
        const auto sent = SteadyClock::now();
        Attempt last = attempt();
        last.end.usage.queued_ms = ms_between(accepted, sent);
        const auto pause = std::max(last.wait.value_or(backoff), std::chrono::milliseconds(0));
        const bool again =
            last.again && retries < options.max_retries && pause <= options.longest_backoff;
        if (!again) return std::move(last.end);
        log::warn("event=remote_retry host={} in_ms={} error={}",
                  log::field(options.base_url.host_label()),
                  pause.count(),
                  log::field(last.end.error ? last.end.error->detail : ""));
        server_.watch.check_soon();
        if (!wait(pause)) return {.finish = ChatFinish::kCancelled, .usage = last.end.usage};
        backoff = std::min(backoff * 2, options.longest_backoff);
    }
}

RemoteCall::Attempt RemoteCall::attempt() {
    auto model = server_.watch.model_id(stop_);
    if (!model) {
        const bool again = model.error().code == ErrorCode::kUnavailable;
        return failed(std::move(model).error(), again);
    }
    sent_variables_ = !job_.variables.empty() && !server_.strict;
    handler_(chat_event::Prefill{0, 0});
    RemoteAnswer answer(handler_, server_.options.base_url.host_label(), job_.tools);
    HttpHead head;
    std::string error_body;
    HttpHandlers handlers;
    handlers.on_head = [&](const HttpHead& given) {
        head = given;
        return HttpFlow::kContinue;
    };
    handlers.on_data = [&](std::span<const char> bytes) {
        const std::string_view text(bytes.data(), bytes.size());
        if (head.is_success() && is_event_stream(head))
            return answer.push(text) ? HttpFlow::kContinue : HttpFlow::kStop;
        error_body.append(text.substr(0, kMaxErrorBytes - error_body.size()));
        return error_body.size() < kMaxErrorBytes ? HttpFlow::kContinue : HttpFlow::kStop;
    };
    const HttpRequest request = make_request(*model);
    const auto reply = fetch(request, handlers);
    if (head.status == 0 || (head.is_success() && is_event_stream(head)))
        return conclude(answer, reply);
    return refuse(head, error_body);
}

HttpRequest RemoteCall::make_request(const std::string& model) const {
    const RemoteOptions& options = server_.options;
    json::object body = job_.body;
    body["model"] = model;
    if (sent_variables_) body["chat_template_kwargs"] = job_.variables;
    HttpRequest request{.method = "POST", .url = options.base_url.below(job_.path).text()};
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
    request.key = options.api_key;
    request.body = repair_utf8(json::serialize(body));
    request.connect_timeout = options.connect_timeout;
    request.first_byte_timeout = options.first_byte_timeout;
    request.silence_timeout = options.silence_timeout;
    request.max_body_bytes = kMaxStreamBytes;
    request.stop = stop_;
    return request;
}

/// After a stream, or after no answer at all.
RemoteCall::Attempt RemoteCall::conclude(RemoteAnswer& answer, const Result<HttpReply>& reply) {
    std::optional<Error> broken;
    if (!reply) broken = reply.error();
    Attempt out{.end = answer.finish(broken)};
    if (stop_.stop_requested()) {
        out.end.finish = ChatFinish::kCancelled;
        out.end.error.reset();
    } else if (out.end.error) {
        const ErrorCode code = out.end.error->code;
        const bool broke = code == ErrorCode::kUnavailable || code == ErrorCode::kIo;
        out.again = broke && !answer.started() && !answer.said_error();
        server_.watch.check_soon();
    }
    return out;
}

/// After an answer that is no stream.
RemoteCall::Attempt RemoteCall::refuse(const HttpHead& head, const std::string& body) {
    const std::string where = server_.options.base_url.below(job_.path).label();
    if (head.is_success()) {
        return failed(
            {ErrorCode::kUnavailable,
             fmt::format(
                 "the server at {} answers with {} instead of an event stream; check --remote-url "
                 "(it usually ends in /v1)",
                 where,
                 log::field(head.find("content-type").value_or("no type")))});
    }
    auto parsed = parse_remote_json(body);
    const std::string said = parsed ? remote_error_text(*parsed) : std::string();
    const int status = head.status;
    const bool refused = status == 400 || status == 422;
    if (refused && sent_variables_ && said.contains("chat_template_kwargs")) {
        server_.strict = true;
        Attempt out = failed({ErrorCode::kInvalidArgument, said}, true);
        out.wait = std::chrono::milliseconds(0);
        return out;
    }
    std::string what = fmt::format("the server at {} answers with status {}", where, status);
    if (!said.empty()) what += ": " + said;
    ErrorCode code = code_of(status);
    if (refused && body.contains("context_length_exceeded")) code = ErrorCode::kContextLength;
    Attempt out = failed({code, fmt::format("{}; {}", what, advice_for(status))});
    out.again = status == 429 || status == 500 || (status >= 502 && status <= 504);
    out.wait = wanted_wait(head);
    return out;
}

RemoteCall::Attempt RemoteCall::failed(Error error, bool again) const {
    if (stop_.stop_requested()) return {.end = {.finish = ChatFinish::kCancelled}};
    return {.end = {.finish = ChatFinish::kError, .error = std::move(error)}, .again = again};
}

/// False when the request was cancelled meanwhile.
bool RemoteCall::wait(std::chrono::milliseconds duration) const {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop_, duration, [] { return false; });
    return !stop_.stop_requested();
}

}  // namespace notso::services

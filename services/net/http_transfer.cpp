// One easy handle in a multi handle of its own: curl_multi_poll can be woken by a stop token, and
// the time-outs are ours, because libcurl's own count only the speed of the whole transfer.
#include "services/net/http_transfer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

constexpr std::chrono::milliseconds kLongestWait{1000};

std::string_view field_text(std::string_view text) {
    const auto first = text.find_first_not_of(kWhiteSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

bool is_header_text(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return c == '\t' || (c >= 0x20 && c != 0x7f) || c < 0; });
}

/// Trusted certificates that the environment names, as curl and OpenSSL read it; null: the
/// system's.
const char* trusted_certificates() {
    for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
        const char* path = std::getenv(name);
        if (path != nullptr && *path != '\0') return path;
    }
    return nullptr;
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// "HTTP/1.1 200 OK" → 200; 0 for anything else.
int status_in(std::string_view line) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return 0;
    int status = 0;
    const char* begin = line.data() + space + 1;
    const auto read = std::from_chars(begin, line.data() + line.size(), status);
    return read.ec == std::errc() && status >= 100 && status <= 999 ? status : 0;
}

}  // namespace

HttpTransfer::HttpTransfer(const HttpRequest& request,
                           const HttpHandlers& handlers,
                           const HttpUrl& url,
                           SteadyClock::time_point began)
    : request_(request), handlers_(handlers), url_(url), began_(began), address_(url.text()) {}

HttpTransfer::~HttpTransfer() {
    if (multi_ && easy_) curl_multi_remove_handle(multi_.get(), easy_.get());
}

Result<HttpReply> HttpTransfer::run(bool send_key, bool follow_redirects) {
    follow_redirects_ = follow_redirects;
    NOTSO_CHECK(prepare(send_key));
    NOTSO_TRY(const CURLcode code, drive());
    if (error_) return std::unexpected(*std::move(error_));
    if (reply_.stopped || redirected_) return std::move(reply_);
    if (code != CURLE_OK) return std::unexpected(failure_of(code));
    if (!head_done_) return std::unexpected(failure_of(CURLE_GOT_NOTHING));
    return std::move(reply_);
}

Result<> HttpTransfer::prepare(bool send_key) {
    reply_.head.url = address_;
    multi_.reset(curl_multi_init());
    easy_.reset(curl_easy_init());
    if (!multi_ || !easy_)
        return fail(ErrorCode::kOutOfMemory, "not enough memory for a connection");
    for (const auto& [name, value] : request_.headers) NOTSO_CHECK(add_header(name, value));
    if (send_key && !request_.key.empty())
        NOTSO_CHECK(add_header("Authorization", "Bearer " + request_.key));
    NOTSO_CHECK(add_header("Expect", ""));  // no waiting for "100 Continue"
    if (!set_options() || curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK)
        return fail(
            ErrorCode::kInternal, "libcurl refused the settings of a request to {}", url_.label());
    return {};
}

bool HttpTransfer::set_options() {
    bool good = true;
    const auto set = [&](CURLoption option, auto value) {
        good = curl_easy_setopt(easy_.get(), option, value) == CURLE_OK && good;
    };
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_URL, address_.c_str());
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // a cancelled request doesn't wait for the name server
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_timeout.count()));
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_USERAGENT, "notso");
    if (url_.is_loopback()) set(CURLOPT_PROXY, "");
    if (const char* trusted = trusted_certificates()) set(CURLOPT_CAINFO, trusted);
    if (request_.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    if (request_.method == "POST") {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDS, request_.body.data());
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    }
    set(CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header_bytes);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body_bytes);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    return good && (request_.only_to.empty() || pin_addresses());
}

/// The name is not asked for again: libcurl gets the addresses, and each socket is checked.
bool HttpTransfer::pin_addresses() {
    std::string entry = fmt::format("{}:{}:", url_.host, url_.port);
    for (const IpAddress& address : request_.only_to) {
        if (!entry.ends_with(':')) entry += ',';
        entry += address.is_v4() ? address.text() : fmt::format("[{}]", address.text());
    }
    const bool is_name = !IpAddress::parse(url_.host);
    if (is_name) pinned_.reset(curl_slist_append(nullptr, entry.c_str()));
    const auto is_set = [&](CURLoption option, auto value) {
        return curl_easy_setopt(easy_.get(), option, value) == CURLE_OK;
    };
    return (!is_name || (pinned_ && is_set(CURLOPT_RESOLVE, pinned_.get()))) &&
           is_set(CURLOPT_PROXY, "") && is_set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this)) &&
           is_set(CURLOPT_OPENSOCKETFUNCTION, &HttpTransfer::on_socket);
}

curl_socket_t HttpTransfer::on_socket(void* self, curlsocktype /*purpose*/, curl_sockaddr* to) {
    const auto address = IpAddress::from(to->addr);
    const auto& allowed = static_cast<HttpTransfer*>(self)->request_.only_to;
    if (!address || std::ranges::find(allowed, *address) == allowed.end()) return CURL_SOCKET_BAD;
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

Result<> HttpTransfer::add_header(std::string_view name, std::string_view value) {
    if (!is_header_text(name) || !is_header_text(value) || name.empty())
        return fail(ErrorCode::kInvalidArgument,
                    "a header field or the key has a line break or a control character");
    // "Name;" is how libcurl is told of a field without a value, "Name:" removes its own.
    const std::string line = fmt::format("{}: {}", name, value);
    curl_slist* longer = curl_slist_append(
        headers_.get(), value.empty() ? fmt::format("{}:", name).c_str() : line.c_str());
    if (longer == nullptr)
        return fail(ErrorCode::kOutOfMemory, "not enough memory for a header field");
    std::ignore = headers_.release();  // now part of `longer`
    headers_.reset(longer);
    return {};
}

/// Runs the transfer to its end. @errors kCancelled, kTimeout.
Result<CURLcode> HttpTransfer::drive() {
    const std::stop_callback wake(request_.stop, [this] { curl_multi_wakeup(multi_.get()); });
    for (;;) {
        if (request_.stop.stop_requested())
            return fail(ErrorCode::kCancelled, "the request was cancelled");
        int running = 0;
        curl_multi_perform(multi_.get(), &running);
        if (error_ || running == 0) break;
        if (auto late = out_of_time()) return std::unexpected(*std::move(late));
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline() - SteadyClock::now());
        const auto wait = std::clamp(left, std::chrono::milliseconds(0), kLongestWait);
        curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
    }
    int waiting = 0;
    const CURLMsg* message = curl_multi_info_read(multi_.get(), &waiting);
    return message == nullptr ? CURLE_OK : message->data.result;
}

SteadyClock::time_point HttpTransfer::deadline() const {
    const auto next =
        last_byte_ ? *last_byte_ + request_.silence_timeout : began_ + request_.first_byte_timeout;
    if (request_.total_timeout.count() == 0) return next;
    return std::min(next, began_ + request_.total_timeout);
}

std::optional<Error> HttpTransfer::out_of_time() const {
    const auto now = SteadyClock::now();
    if (now < deadline()) return std::nullopt;
    std::string what = fmt::format("the server at {} did not begin to answer within {} s",
                                   url_.label(),
                                   request_.first_byte_timeout.count() / 1000.0);
    if (last_byte_)
        what = fmt::format("the server at {} sent nothing for {} s",
                           url_.label(),
                           request_.silence_timeout.count() / 1000.0);
    if (request_.total_timeout.count() > 0 && now >= began_ + request_.total_timeout)
        what = fmt::format("the server at {} took longer than {} s to answer",
                           url_.label(),
                           request_.total_timeout.count() / 1000.0);
    return Error{ErrorCode::kTimeout, what + "; it may be overloaded: try again later"};
}

std::size_t HttpTransfer::on_header_bytes(char* bytes,
                                          std::size_t one,
                                          std::size_t size,
                                          void* self) {
    return static_cast<HttpTransfer*>(self)->take_header({bytes, one * size}) ? one * size : 0;
}

std::size_t HttpTransfer::on_body_bytes(char* bytes,
                                        std::size_t one,
                                        std::size_t size,
                                        void* self) {
    return static_cast<HttpTransfer*>(self)->take_body({bytes, one * size}) ? one * size : 0;
}

/// One line of a head, trailers and heads of interim answers (1xx) among them. False ends the
/// transfer.
bool HttpTransfer::take_header(std::string_view line) {
    last_byte_ = SteadyClock::now();
    head_bytes_ += line.size();
    if (head_bytes_ > request_.max_head_bytes) {
        return give_up(ErrorCode::kTooLarge,
                       fmt::format("the server at {} sent more than {} bytes of header fields",
                                   url_.label(),
                                   request_.max_head_bytes));
    }
    if (head_done_) return true;  // a trailer
    line = field_text(line);
    if (!in_head_) {
        reply_.head.headers.clear();
        reply_.head.status = status_in(line);
        in_head_ = true;
        return true;
    }
    if (line.empty()) return end_head();
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    reply_.head.headers.push_back({std::string(field_text(line.substr(0, colon))),
                                   std::string(field_text(line.substr(colon + 1)))});
    return true;
}

bool HttpTransfer::end_head() {
    in_head_ = false;
    if (reply_.head.status < 200) return true;  // interim: the real head follows
    head_done_ = true;
    redirected_ =
        follow_redirects_ && is_redirect(reply_.head.status) && reply_.head.find("location");
    if (redirected_) return false;
    if (!handlers_.on_head || handlers_.on_head(reply_.head) == HttpFlow::kContinue) return true;
    reply_.stopped = true;
    return false;
}

bool HttpTransfer::take_body(std::string_view bytes) {
    last_byte_ = SteadyClock::now();
    body_bytes_ += bytes.size();
    if (body_bytes_ > request_.max_body_bytes) {
        return give_up(
            ErrorCode::kTooLarge,
            fmt::format(
                "the answer of {} has more than {} bytes", url_.label(), request_.max_body_bytes));
    }
    if (!handlers_.on_data) {
        reply_.body.append(bytes);
        return true;
    }
    reply_.stopped = handlers_.on_data({bytes.data(), bytes.size()}) == HttpFlow::kStop;
    return !reply_.stopped;
}

bool HttpTransfer::give_up(ErrorCode code, std::string detail) {
    error_ = Error{code, std::move(detail)};
    return false;
}

Error HttpTransfer::failure_of(CURLcode code) const {
    const std::string label = url_.label();
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return {ErrorCode::kUnavailable,
                    fmt::format("no host named {} was found; check the address and the network",
                                url_.host)};
        case CURLE_COULDNT_RESOLVE_PROXY:
            return {ErrorCode::kUnavailable,
                    "the proxy's host was not found; check http_proxy and https_proxy"};
        case CURLE_COULDNT_CONNECT:
            return {
                ErrorCode::kUnavailable,
                fmt::format("nothing answers at {}; check the address, and that the server runs",
                            url_.host_label())};
        case CURLE_OPERATION_TIMEDOUT:
            return {
                ErrorCode::kTimeout,
                fmt::format("no connection to {} within {} s; check the address and the network",
                            url_.host_label(),
                            request_.connect_timeout.count() / 1000.0)};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CACERT_BADFILE:
            return {
                ErrorCode::kPermissionDenied,
                fmt::format("no trusted connection to {}: {}; check its certificate (SSL_CERT_FILE "
                            "names the ones to trust)",
                            url_.host_label(),
                            curl_easy_strerror(code))};
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
        case CURLE_BAD_CONTENT_ENCODING:
            return {ErrorCode::kCorruptData,
                    fmt::format(
                        "the server at {} did not answer in HTTP; check the address and its port",
                        label)};
        case CURLE_OUT_OF_MEMORY:
            return {ErrorCode::kOutOfMemory, "not enough memory for a connection"};
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
            return {ErrorCode::kIo,
                    fmt::format("the server at {} closed the connection {}; try again",
                                label,
                                head_done_ ? "in the middle of its answer" : "without an answer")};
        default:
            return {
                ErrorCode::kIo,
                fmt::format(
                    "the request to {} failed: {}; try again", label, curl_easy_strerror(code))};
    }
}

}  // namespace notso::services

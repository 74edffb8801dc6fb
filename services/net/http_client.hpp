// A small HTTP client over libcurl: one request, its answer in pieces as they arrive. For downloads
// and for remote models. It knows nothing of files, JSON or SSE; the caller's thread does the work
// and owns everything.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/net/ip_address.hpp"

namespace notso::services {

struct HttpHeader {
    std::string name;
    std::string value;
};

struct HttpRequest {
    std::string method = "GET";            ///< GET, HEAD or POST.
    std::string url;                       ///< See parse_http_url.
    std::vector<HttpHeader> headers = {};  ///< No secrets here: they travel along to other hosts.
    std::string key = {};   ///< Sent as "Authorization: Bearer …", to the first host only.
    std::string body = {};  ///< Of a POST.
    /// > 0: asks for the bytes from here on; a server that answers 200 sends all of them.
    std::uint64_t resume_from = 0;

    std::chrono::milliseconds connect_timeout{5'000};  ///< Name, connection and TLS.
    /// From the start to the answer's first byte.
    std::chrono::milliseconds first_byte_timeout{30'000};
    std::chrono::milliseconds silence_timeout{30'000};  ///< Without a byte, later.
    std::chrono::milliseconds total_timeout{0};         ///< 0 = none.

    /// Not empty: connects to one of these only, whatever the host's name says, and to no proxy.
    std::vector<IpAddress> only_to = {};
    int max_redirects = 0;  ///< Followed for GET and HEAD only; the caller gets the last answer.
    std::size_t max_head_bytes = 64 * 1024;
    std::uint64_t max_body_bytes = 16 * 1024 * 1024;
    std::stop_token stop = {};  ///< Ends the request at once, wherever it is.
};

/// Status line and header fields of an answer.
struct HttpHead {
    int status = 0;
    /// Where it came from, after redirects. May hold a secret: don't show it.
    std::string url = {};
    std::vector<HttpHeader> headers = {};

    /// The value of a field, in any case; of several, the first. Empty optional: not there.
    std::optional<std::string_view> find(std::string_view name) const;
    bool is_success() const { return status >= 200 && status < 300; }
};

enum class HttpFlow { kContinue, kStop };

/// What to do with the answer as it arrives; called on the thread in fetch(). An absent one: go on,
/// and without on_data the body is collected in HttpReply::body.
struct HttpHandlers {
    std::function<HttpFlow(const HttpHead& head)> on_head = {};  ///< Once, not for redirects.
    /// As many times as it takes.
    std::function<HttpFlow(std::span<const char> bytes)> on_data = {};
};

struct HttpReply {
    HttpHead head;
    std::string body = {};
    bool stopped = false;  ///< A handler said kStop: the rest was not read.
};

/// Sends a request and blocks until the whole answer came or a handler said stop. Any status is a
/// reply.
///
/// Goes to http and https only; never from https to http. Proxies (not to this machine itself) and
/// trusted certificates are taken from the environment, as curl does. Messages show addresses
/// without their query, and never keys or bodies.
/// @errors kInvalidArgument: address, method, or a redirect to where it may not go. kUnavailable:
/// no
///         such host, nothing answers. kTimeout. kPermissionDenied: its certificate is not trusted.
///         kTooLarge: a limit. kCorruptData: this is not HTTP. kIo: the connection broke.
///         kCancelled: the stop token.
/// @cost   A connection per call. Thread-safe: calls share nothing.
Result<HttpReply> fetch(const HttpRequest& request, const HttpHandlers& handlers = {});

}  // namespace notso::services

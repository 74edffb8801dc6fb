// One HTTP request and its one response, as the routes see them. No Beast types: handlers stay small and testable.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace notso::web {

template <class T = void>
using Awaitable = boost::asio::awaitable<T>;

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

/// A parsed, limited and checked request.
struct Request {
    Method method = Method::kGet;
    std::string path;                              ///< Percent-decoded, no query.
    std::map<std::string, std::string> query;      ///< Decoded; the first value of a name wins.
    std::map<std::string, std::string> headers;    ///< Names in lower case.
    std::map<std::string, std::string> params;     ///< From the route pattern: /chat/{id}.
    std::string body;
    std::string remote_address;
    std::string request_id;

    /// Header value or "".
    std::string_view header(std::string_view lower_case_name) const;
    /// Value of an application/x-www-form-urlencoded field. @errors kInvalidArgument for malformed encoding.
    Result<std::map<std::string, std::string>> form() const;
    /// True for requests that htmx makes (HX-Request: true).
    bool is_htmx() const { return header("hx-request") == "true"; }
};

struct Header {
    std::string name;
    std::string value;
};

struct Response {
    int status = 200;
    std::string content_type = "text/html; charset=utf-8";
    std::string body = {};
    std::vector<Header> headers = {};   ///< Security headers are added to every response by the server.
};

/// The handler's side of a connection. Answer exactly once: respond(), or start_stream() … finish().
class Exchange {
  public:
    virtual ~Exchange() = default;
    virtual const Request& request() const = 0;

    virtual Awaitable<> respond(Response response) = 0;

    /// Sends the head of a streamed response (chunked).
    virtual Awaitable<Result<>> start_stream(Response head) = 0;
    /// Sends one piece now. @errors kCancelled when the client is gone, or too slow (unsent bytes, write stall).
    virtual Awaitable<Result<>> write(std::string_view piece) = 0;
    virtual Awaitable<> finish() = 0;

    /// Calls `gone` once when the client disconnects while the handler works (API streams cancel then).
    virtual void on_disconnect(std::function<void()> gone) = 0;
};

using Handler = std::function<Awaitable<>(Exchange&)>;

enum class BodyLimit { kSmall, kChat };   ///< 256 KiB, 4 MiB

struct Route {
    Method method;
    std::string pattern;        ///< "/chat/{id}/messages"
    Handler handler;
    BodyLimit body = BodyLimit::kSmall;
    /// Programs may call it from anywhere (the API, health); others need same-origin for writes.
    bool api = false;
};

}  // namespace notso::web

// One HTTP request and its one response, as the routes see them. No Beast types: handlers stay
// small and testable.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "web/http/message.hpp"

namespace notso::web {

template <class T = void>
using Awaitable = boost::asio::awaitable<T>;

/// The handler's side of a connection. Answer exactly once: respond(), or start_stream() …
/// finish().
class Exchange {
  public:
    virtual ~Exchange() = default;
    virtual const Request& request() const = 0;

    virtual Awaitable<> respond(Response response) = 0;

    /// Sends the head of a streamed response (chunked). @errors kCancelled when nobody will read a
    /// body (HEAD, gone).
    virtual Awaitable<Result<>> start_stream(Response head) = 0;
    /// Sends one piece; waits only for pieces larger than the unsent limit.
    /// @errors kCancelled when the client is gone, or too slow (unsent bytes, write stall) and was
    /// dropped.
    virtual Awaitable<Result<>> write(std::string_view piece) = 0;
    virtual Awaitable<> finish() = 0;

    /// Calls `gone` once when the client disconnects while the handler works (API streams cancel
    /// then); at once when it is gone already. Not called after the handler has returned.
    virtual void on_disconnect(std::function<void()> gone) = 0;
};

using Handler = std::function<Awaitable<>(Exchange&)>;

/// 256 KiB; 4 MiB; 1 GiB on disk; 4 MiB, or as multipart/form-data 205 MiB on disk.
enum class BodyLimit { kSmall, kChat, kFile, kForm };

struct Route {
    Method method;
    std::string pattern;  ///< "/chat/{id}/messages"
    Handler handler;
    BodyLimit body = BodyLimit::kSmall;
    /// For kFile and kForm: where the body of a request goes (Request::body_file); it is removed
    /// afterwards.
    std::function<Result<std::filesystem::path>()> upload_path = {};
    /// Programs may call it from anywhere (the API, health); others need same-origin for writes.
    bool api = false;
    /// Answers without the API key (probes).
    bool open = false;
};

}  // namespace notso::web

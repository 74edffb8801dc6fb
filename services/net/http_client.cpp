// Redirects and what may cross them; a single exchange is http_transfer.cpp's part.
#include "services/net/http_client.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "services/net/http_transfer.hpp"
#include "services/net/url.hpp"

namespace notso::services {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(a, b, {}, lower, lower);
}

Result<> start_library() {
    // Set up once for the whole program, and never torn down: libcurl's own advice.
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started == CURLE_OK) return {};
    return fail(ErrorCode::kInternal, "libcurl does not start: {}", curl_easy_strerror(started));
}

/// Where a redirect leads. @errors kInvalidArgument when it may not go there.
Result<HttpUrl> next_url(const HttpUrl& from, const HttpHead& head) {
    auto to = resolve_http_url(from, head.find("location").value_or(""));
    if (!to) {
        return fail(ErrorCode::kInvalidArgument,
                    "the server at {} redirects to where this program does not go: {}",
                    from.label(),
                    to.error().detail);
    }
    return to;
}

}  // namespace

std::optional<std::string_view> HttpHead::find(std::string_view name) const {
    for (const HttpHeader& header : headers) {
        if (equal_ignoring_case(header.name, name)) return header.value;
    }
    return std::nullopt;
}

Result<HttpReply> fetch(const HttpRequest& request, const HttpHandlers& handlers) {
    NOTSO_CHECK(start_library());
    if (request.method != "GET" && request.method != "HEAD" && request.method != "POST")
        return fail(ErrorCode::kInvalidArgument, "the method must be GET, HEAD or POST");
    NOTSO_TRY(HttpUrl url, parse_http_url(request.url));
    HttpRequest sent = request;
    if (request.resume_from > 0)
        sent.headers.push_back({"Range", fmt::format("bytes={}-", request.resume_from)});
    const HttpUrl first = url;
    const auto began = SteadyClock::now();
    const bool follows = request.method != "POST" && request.max_redirects > 0;
    bool send_key = true;  // once another host was in between, never again
    for (int redirects = 0;; ++redirects) {
        HttpTransfer transfer(sent, handlers, url, began);
        NOTSO_TRY(HttpReply reply, transfer.run(send_key, follows));
        if (!transfer.redirected()) return reply;
        if (redirects == request.max_redirects) {
            return fail(ErrorCode::kUnavailable,
                        "the server at {} redirects more than {} times; use the final address",
                        first.label(),
                        request.max_redirects);
        }
        NOTSO_TRY(url, next_url(url, reply.head));
        send_key = send_key && url.same_origin(first);
    }
}

}  // namespace notso::services

// The one place where the program's error codes become HTTP: status, JSON for programs, plain HTML
// for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "web/http/message.hpp"

namespace notso::web {

/// The status of an error code.
int http_status(ErrorCode code) noexcept;

/// What an API error says besides its message.
struct ApiErrorInfo {
    std::string param = {};  ///< The field that is wrong; empty = null in the JSON.
    std::string code = {};   ///< E.g. "context_length_exceeded"; empty = the error code's own name.
    double wait_ms = 0;      ///< About how long the queue is; 0 = not known.
};

/// What Retry-After says in a 503 or 429: 1 to 120 seconds.
/// @param wait_ms  About how long the queue is; 0 = not known.
Header retry_after(ErrorCode code, double wait_ms);

/// {"error":{"message","type","param","code"}} as text.
std::string api_error_json(int status, const Error& error, const ApiErrorInfo& info = {});

/// A JSON error response; 503 and 429 carry Retry-After.
Response api_error(const Error& error, const ApiErrorInfo& info = {});
Response api_error(int status, const Error& error, const ApiErrorInfo& info = {});

/// A small HTML page, for when no page renderer is set.
Response plain_error_page(int status, const Error& error);

/// "Not Found" of 404.
std::string_view reason_phrase(int status) noexcept;

}  // namespace notso::web

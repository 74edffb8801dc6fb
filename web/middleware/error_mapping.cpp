#include "web/middleware/error_mapping.hpp"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <boost/json.hpp>
#include <cmath>

#include "base/utf8.hpp"
#include "services/template/markdown.hpp"

namespace notso::web {
namespace {

/// The classes of errors that clients of the OpenAI API know.
std::string_view api_type(int status) {
    if (status == 401) return "authentication_error";
    if (status == 403) return "permission_error";
    if (status == 429) return "rate_limit_error";
    if (status == 503) return "overloaded_error";
    return status >= 500 ? "server_error" : "invalid_request_error";
}

}  // namespace

int http_status(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return 400;
        case ErrorCode::kNotFound:
            return 404;
        case ErrorCode::kAlreadyExists:
            return 409;
        case ErrorCode::kUnsupported:
            return 400;
        case ErrorCode::kCorruptData:
            return 500;
        case ErrorCode::kPermissionDenied:
            return 403;
        case ErrorCode::kBusy:
            return 409;
        case ErrorCode::kOverloaded:
            return 503;
        case ErrorCode::kUnavailable:
            return 503;
        case ErrorCode::kTooLarge:
            return 413;
        case ErrorCode::kContextLength:
            return 400;
        case ErrorCode::kOutOfMemory:
            return 503;
        case ErrorCode::kTimeout:
            return 504;
        case ErrorCode::kCancelled:
            return 503;
        case ErrorCode::kIo:
            return 500;
        case ErrorCode::kInternal:
            return 500;
    }
    return 500;
}

std::string api_error_json(int status, const Error& error, const ApiErrorInfo& info) {
    std::string code = info.code;
    if (code.empty() && error.code == ErrorCode::kContextLength) code = "context_length_exceeded";
    if (code.empty()) code = to_string(error.code);
    const boost::json::value param =
        info.param.empty() ? boost::json::value(nullptr) : boost::json::value(info.param);
    const boost::json::object body = {{"error",
                                       {{"message", repair_utf8(error.detail)},
                                        {"type", api_type(status)},
                                        {"param", param},
                                        {"code", code}}}};
    return boost::json::serialize(body);
}

Header retry_after(ErrorCode code, double wait_ms) {
    constexpr double kLongest = 120;
    // A queue moves within a second; a model takes longer to load.
    double seconds = code == ErrorCode::kUnavailable ? 5 : 1;
    if (code == ErrorCode::kOverloaded)
        seconds = std::clamp(std::ceil(wait_ms / 1000), seconds, kLongest);
    return {"Retry-After", fmt::format("{:.0f}", seconds)};
}

Response api_error(const Error& error, const ApiErrorInfo& info) {
    return api_error(http_status(error.code), error, info);
}

Response api_error(int status, const Error& error, const ApiErrorInfo& info) {
    Response response;
    response.status = status;
    response.content_type = "application/json";
    response.body = api_error_json(status, error, info);
    if (status == 503 || status == 429) {
        response.headers.push_back(retry_after(error.code, info.wait_ms));
    }
    return response;
}

Response plain_error_page(int status, const Error& error) {
    Response response;
    response.status = status;
    response.body = fmt::format(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0} "
        "{1}</title></head>"
        "<body><main><h1>{1}</h1><p>{2}</p><p><a href=\"/\">Start "
        "page</a></p></main></body></html>\n",
        status,
        reason_phrase(status),
        services::escape_html(repair_utf8(error.detail)));
    return response;
}

std::string_view reason_phrase(int status) noexcept {
    const auto text = boost::beast::http::obsolete_reason(
        boost::beast::http::int_to_status(static_cast<unsigned>(status)));
    return {text.data(), text.size()};
}

}  // namespace notso::web

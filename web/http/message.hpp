// Requests and responses as plain data: what the scanner makes, the middleware checks and the
// routes answer.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/session/owner_id.hpp"

namespace notso::web {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

/// The method that a request line names; kOther for those that no route has.
Method parse_method(std::string_view name) noexcept;
/// "GET", …; "" for kOther.
std::string_view to_string(Method method) noexcept;

/// A parsed, limited and checked request.
struct Request {
    Method method = Method::kGet;
    std::string path;                            ///< Percent-decoded, no query.
    std::map<std::string, std::string> query;    ///< Decoded; the first value of a name wins.
    std::map<std::string, std::string> headers;  ///< Names in lower case.
    std::map<std::string, std::string> params;   ///< From the route pattern: /chat/{id}.
    std::string body;
    std::filesystem::path body_file = {};  ///< Has the body instead, where the route wants a file.
    std::string remote_address;
    std::string request_id;
    services::OwnerId owner;           ///< Whose conversations it is about.
    std::string account = {};          ///< Name of who has signed in; empty: nobody.
    bool owner_is_one_person = false;  ///< Not whoever reaches this server, or has its key.

    /// Header value or "".
    std::string_view header(std::string_view lower_case_name) const;
    /// Value of a cookie or "". Of several with that name the first counts.
    std::string cookie(std::string_view name) const;
    /// The fields of an application/x-www-form-urlencoded body; the first value of a name wins.
    /// @errors kInvalidArgument for another content type or malformed encoding.
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
    std::vector<Header> headers =
        {};  ///< Security headers are added to every response by the server.
};

}  // namespace notso::web

#include "web/http/message.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "web/http/url.hpp"

namespace notso::web {
namespace {

constexpr std::array<std::pair<std::string_view, Method>, 7> kMethods = {{
    {"GET", Method::kGet},
    {"HEAD", Method::kHead},
    {"POST", Method::kPost},
    {"PUT", Method::kPut},
    {"PATCH", Method::kPatch},
    {"DELETE", Method::kDelete},
    {"OPTIONS", Method::kOptions},
}};

}  // namespace

Method parse_method(std::string_view name) noexcept {
    for (const auto& [text, method] : kMethods) {
        if (text == name) return method;
    }
    return Method::kOther;
}

std::string_view to_string(Method method) noexcept {
    for (const auto& [text, value] : kMethods) {
        if (value == method) return text;
    }
    return "";
}

std::string_view Request::header(std::string_view lower_case_name) const {
    const auto found = headers.find(std::string(lower_case_name));
    return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::string Request::cookie(std::string_view name) const {
    std::string_view rest = header("cookie");
    while (!rest.empty()) {
        const std::string_view pair = trim(rest.substr(0, rest.find(';')));
        rest.remove_prefix(std::min(rest.find(';'), rest.size() - 1) + 1);
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos && pair.substr(0, equals) == name)
            return std::string(pair.substr(equals + 1));
    }
    return {};
}

Result<std::map<std::string, std::string>> Request::form() const {
    if (!body.empty() &&
        media_type(header("content-type")) != "application/x-www-form-urlencoded") {
        return fail(ErrorCode::kInvalidArgument,
                    "the body must be application/x-www-form-urlencoded");
    }
    return parse_form(body);
}

}  // namespace notso::web

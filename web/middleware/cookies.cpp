#include "web/middleware/cookies.hpp"

#include <fmt/format.h>

namespace notso::web {
namespace {

// Browsers take names that begin like this from https and for one host only.
constexpr std::string_view kBoundPrefix = "__Host-";

std::string full_name(const CookieKind& kind, bool https) {
    return std::string(https ? kBoundPrefix : "") + std::string(kind.name);
}

}  // namespace

std::string read_cookie(const Request& request, const CookieKind& kind, bool https) {
    return request.cookie(full_name(kind, https));
}

Header set_cookie(const CookieKind& kind, std::string_view value, bool https) {
    return {"Set-Cookie",
            fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}",
                        full_name(kind, https),
                        value,
                        value.empty() ? 0 : kind.seconds,
                        https ? "; Secure" : "")};
}

}  // namespace notso::web

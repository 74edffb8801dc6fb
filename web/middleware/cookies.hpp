// Cookies that say whose browser it is: their names, and how they are set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "web/http/message.hpp"

namespace notso::web {

struct CookieKind {
    std::string_view name;
    std::int64_t seconds;  ///< How long the browser keeps it.
};

inline constexpr std::int64_t kDaySeconds = 24 * 3600;
/// Browsers keep nothing longer than that.
inline constexpr CookieKind kSpaceCookie{"notso-space", 400 * kDaySeconds};
/// No secret: the same name over http and https.
inline constexpr CookieKind kLanguageCookie{"language", 400 * kDaySeconds};
inline constexpr CookieKind kLoginCookie{"notso-login", 30 * kDaySeconds};

/// The value that a request has of it. Over https only the one that is bound to this host counts.
std::string read_cookie(const Request& request, const CookieKind& kind, bool https);

/// A Set-Cookie header: no script reads it, and no other site sends it with a form. An empty value
/// takes it away.
Header set_cookie(const CookieKind& kind, std::string_view value, bool https);

}  // namespace notso::web

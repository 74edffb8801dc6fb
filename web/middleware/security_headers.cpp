#include "web/middleware/security_headers.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "web/http/url.hpp"

namespace notso::web {
namespace {

struct Default {
    std::string_view name;
    std::string_view value;
};

constexpr std::array<Default, 9> kDefaults = {{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
     "'self'; "
     "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
     "'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
    {"X-Permitted-Cross-Domain-Policies", "none"},
    {"Cache-Control", "no-store"},
}};

bool has_header(const Response& response, std::string_view name) {
    const std::string wanted = to_lower(name);
    return std::ranges::any_of(response.headers,
                               [&](const Header& h) { return to_lower(h.name) == wanted; });
}

bool breaks_line(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

void add_security_headers(Response& response) {
    for (const auto& [name, value] : kDefaults) {
        if (!has_header(response, name))
            response.headers.push_back({std::string(name), std::string(value)});
    }
}

void drop_malformed_headers(Response& response) {
    const auto is_bad = [](const Header& h) {
        return h.name.empty() || h.name.find(':') != std::string::npos || breaks_line(h.name) ||
               breaks_line(h.value);
    };
    if (const auto dropped = std::erase_if(response.headers, is_bad); dropped > 0) {
        log::error("response headers dropped, they hold a line break count={}", dropped);
    }
    if (breaks_line(response.content_type)) response.content_type = "application/octet-stream";
}

}  // namespace notso::web

#include "web/middleware/request_guard.hpp"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "services/accounts/login_desk.hpp"
#include "web/http/url.hpp"
#include "web/pages/format.hpp"

namespace notso::web {
namespace {

bool is_address_literal(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    if (host.starts_with('[') && host.ends_with(']')) {
        return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), ignored.data()) == 1;
    }
    return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1;
}

bool is_host_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/// "host:port" with default ports left out, so that https://x:443 and x compare equal.
std::string normal_authority(const HostPort& parts) {
    if (parts.port.empty() || parts.port == "80" || parts.port == "443") return parts.host;
    return parts.host + ":" + parts.port;
}

std::string_view without_scheme(std::string_view origin) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (origin.starts_with(scheme)) return origin.substr(scheme.size());
    }
    return {};
}

/// "https://chat.example" of a public URL with a path.
std::string origin_of(std::string_view url) {
    const std::string_view rest = without_scheme(url);
    if (rest.empty()) return {};
    const auto scheme = url.size() - rest.size();
    return to_lower(url.substr(0, scheme + std::min(rest.find('/'), rest.size())));
}

std::string decode_base64(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0 || text.size() > 4096) return {};
    std::string out(text.size(), '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return {};
    const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

bool is_write(Method method) {
    return method != Method::kGet && method != Method::kHead && method != Method::kOptions;
}

Rejection reject(int status, ErrorCode code, std::string detail) {
    return Rejection{status, Error{code, std::move(detail)}, {}};
}

}  // namespace

Result<HostPort> parse_host(std::string_view text) {
    HostPort parts;
    std::string lower = to_lower(text);
    auto colon = lower.rfind(':');
    if (lower.starts_with('[')) {
        const auto end = lower.find(']');
        if (end == std::string::npos)
            return fail(ErrorCode::kInvalidArgument, "unclosed '[' in the host");
        colon = end + 1 < lower.size() ? end + 1 : std::string::npos;
        if (colon != std::string::npos && lower[colon] != ':') {
            return fail(ErrorCode::kInvalidArgument, "the host is malformed");
        }
    }
    parts.host = lower.substr(0, colon);
    if (colon != std::string::npos) parts.port = lower.substr(colon + 1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (colon != std::string::npos &&
        (parts.port.size() > 5 || !std::ranges::all_of(parts.port, is_digit))) {
        return fail(ErrorCode::kInvalidArgument, "the port in the host is no number");
    }
    if (parts.host.starts_with('[')) {
        if (!is_address_literal(parts.host))
            return fail(ErrorCode::kInvalidArgument, "the host is no IPv6 address");
        return parts;
    }
    if (parts.host.ends_with('.')) parts.host.pop_back();
    if (parts.host.empty() || !std::ranges::all_of(parts.host, is_host_char)) {
        return fail(ErrorCode::kInvalidArgument, "the host has a character that is not allowed");
    }
    return parts;
}

RequestGuard::RequestGuard(const ServerOptions& options)
    : hosts_({"localhost", "127.0.0.1", "[::1]"}),
      any_address_(options.host == "0.0.0.0" || options.host == "::" || options.host == "[::]"),
      public_origin_(origin_of(options.public_url)),
      api_key_(options.api_key),
      logins_(options.logins),
      trusted_proxies_(options.trusted_proxies.begin(), options.trusted_proxies.end()) {
    std::vector<std::string> more = options.allowed_hosts;
    more.push_back(options.host.find(':') != std::string::npos && !options.host.starts_with('[')
                       ? "[" + options.host + "]"
                       : options.host);
    if (!public_origin_.empty()) more.emplace_back(without_scheme(public_origin_));
    for (const std::string& host : more) {
        if (auto parts = parse_host(host)) hosts_.insert(parts->host);
    }
}

std::optional<Rejection> RequestGuard::check_host(std::string_view host) const {
    const auto parts = parse_host(host);
    if (!parts) return reject(400, ErrorCode::kInvalidArgument, parts.error().detail);
    if (hosts_.contains(parts->host) || (any_address_ && is_address_literal(parts->host)))
        return std::nullopt;
    return reject(
        403,
        ErrorCode::kPermissionDenied,
        fmt::format(
            "the host name {} is not one of this server's; start it with --allowed-host to add it",
            log::field(parts->host)));
}

std::optional<Rejection> RequestGuard::check(const Request& request,
                                             const Route& route,
                                             bool has_body) const {
    if (auto refused = check_key(request, route)) return refused;
    if (is_write(request.method)) {
        if (auto refused = check_origin(request)) return refused;
    }
    if (route.api && has_body && media_type(request.header("content-type")) != "application/json") {
        return reject(415,
                      ErrorCode::kInvalidArgument,
                      "the body must be JSON: send Content-Type: application/json");
    }
    return std::nullopt;
}

std::optional<Rejection> RequestGuard::check_key(const Request& request, const Route& route) const {
    if (route.open) return std::nullopt;
    if (logins_ != nullptr && logins_->required()) return check_login(request, route);
    if (api_key_.empty()) return std::nullopt;
    const std::string given = credential(request.header("authorization"));
    if (!given.empty() && equal_secrets(given, api_key_)) return std::nullopt;
    auto refused =
        reject(401,
               ErrorCode::kPermissionDenied,
               given.empty() ? "this server needs an API key: send Authorization: Bearer KEY"
                             : "the API key is wrong");
    // Browsers ask for a user name and a password then; the password is the key.
    refused.headers.push_back(
        {"WWW-Authenticate", route.api ? "Bearer" : "Basic realm=\"notso\", charset=\"UTF-8\""});
    return refused;
}

std::optional<Rejection> RequestGuard::check_login(const Request& request, const Route& route) {
    if (request.owner != services::OwnerId{}) return std::nullopt;
    if (route.api) {
        auto refused = reject(401,
                              ErrorCode::kPermissionDenied,
                              "people sign in here: send Authorization: Bearer KEY with the "
                              "server's API key (it has one when it was started with --api-key)");
        refused.headers.push_back({"WWW-Authenticate", "Bearer"});
        return refused;
    }
    // A form that came too late goes nowhere; its text is still in the browser.
    std::string place = "/login";
    if (request.method == Method::kGet && !request.is_htmx())
        place += "?next=" + percent_encode(request.path);
    auto refused = reject(
        request.is_htmx() ? 401 : 303, ErrorCode::kPermissionDenied, "sign in to go on here");
    refused.headers.push_back({request.is_htmx() ? "HX-Redirect" : "Location", place});
    return refused;
}

std::optional<Rejection> RequestGuard::check_origin(const Request& request) const {
    // Browsers send at least one of the two with every write; programs send none, and hold no
    // cookies to abuse.
    const std::string_view site = request.header("sec-fetch-site");
    if (!site.empty() && site != "same-origin" && site != "none") {
        return reject(
            403, ErrorCode::kPermissionDenied, "requests from other sites may change nothing here");
    }
    const std::string_view origin = request.header("origin");
    if (origin.empty() && !request.headers.contains("origin")) return std::nullopt;
    if (is_own_origin(origin, request.header("host"))) return std::nullopt;
    return reject(
        403,
        ErrorCode::kPermissionDenied,
        fmt::format(
            "the page at {} may change nothing here; if this server is reached through a proxy, "
            "name its address with --public-url",
            log::field(origin)));
}

bool RequestGuard::is_own_origin(std::string_view origin, std::string_view host_header) const {
    const std::string lower = to_lower(origin);
    if (!public_origin_.empty() && lower == public_origin_) return true;
    const std::string_view rest = without_scheme(lower);
    if (rest.empty()) return false;
    const auto theirs = parse_host(rest);
    const auto ours = parse_host(host_header);
    return theirs && ours && normal_authority(*theirs) == normal_authority(*ours);
}

std::string RequestGuard::client_address(const Request& request, const std::string& peer) const {
    if (!is_trusted_proxy(peer)) return peer;
    const std::string_view list = request.header("x-forwarded-for");
    const auto comma = list.rfind(',');
    // The last entry is the one that the trusted proxy itself added.
    const std::string last(trim(comma == std::string_view::npos ? list : list.substr(comma + 1)));
    return is_address_literal(last) || is_address_literal("[" + last + "]") ? last : peer;
}

bool equal_secrets(std::string_view a, std::string_view b) {
    // Hashed first, so that neither the length nor the first difference shows in the time taken.
    std::array<unsigned char, SHA256_DIGEST_LENGTH> left{};
    std::array<unsigned char, SHA256_DIGEST_LENGTH> right{};
    SHA256(reinterpret_cast<const unsigned char*>(a.data()), a.size(), left.data());
    SHA256(reinterpret_cast<const unsigned char*>(b.data()), b.size(), right.data());
    return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string credential(std::string_view authorization) {
    const auto space = authorization.find(' ');
    if (space == std::string_view::npos) return {};
    const std::string scheme = to_lower(authorization.substr(0, space));
    const std::string_view rest = trim(authorization.substr(space + 1));
    if (scheme == "bearer") return std::string(rest);
    if (scheme != "basic") return {};
    const std::string pair = decode_base64(rest);
    const auto colon = pair.find(':');
    return colon == std::string::npos ? std::string{} : pair.substr(colon + 1);
}

Result<> check_binding(bool is_loopback, const ServerOptions& options) {
    const bool has_accounts = options.logins != nullptr && options.logins->required();
    if (is_loopback || !options.api_key.empty() || has_accounts) return {};
    return fail(ErrorCode::kPermissionDenied,
                "listening on {} would let anybody on the network use this server: set an API key "
                "(--api-key), add accounts (notso user add NAME), or bind to 127.0.0.1",
                options.host);
}

}  // namespace notso::web

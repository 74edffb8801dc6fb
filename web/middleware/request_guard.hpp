// Who may ask what: host names (DNS rebinding), same-origin writes (CSRF), the API key, JSON
// content types.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "web/http/exchange.hpp"
#include "web/http/options.hpp"

namespace notso::web {

/// Why a request is refused before its handler sees it.
struct Rejection {
    int status = 400;
    Error error;
    std::vector<Header> headers = {};
};

/// host and port of "name:port", "[v6]:port", "name"; lower case, without a trailing dot.
struct HostPort {
    std::string host;
    std::string port;  ///< Empty when absent.
};
/// @errors kInvalidArgument for anything that is no host with an optional port.
Result<HostPort> parse_host(std::string_view text);

/// Built once from the options; immutable.
class RequestGuard {
  public:
    explicit RequestGuard(const ServerOptions& options);

    /// Is the name in the Host header one of ours? A page on another name that resolves to this
    /// machine is refused.
    std::optional<Rejection> check_host(std::string_view host) const;
    /// Everything that depends on the route: key or login, origin of writes, content type of JSON
    /// bodies. Visitors::identify() was there before.
    std::optional<Rejection> check(const Request& request, const Route& route, bool has_body) const;
    /// The address behind trusted proxies, else the peer's.
    std::string client_address(const Request& request, const std::string& peer) const;
    bool is_trusted_proxy(const std::string& peer) const { return trusted_proxies_.contains(peer); }

  private:
    std::optional<Rejection> check_key(const Request& request, const Route& route) const;
    /// With accounts: whoever is somebody (Visitors) gets in.
    static std::optional<Rejection> check_login(const Request& request, const Route& route);
    std::optional<Rejection> check_origin(const Request& request) const;
    bool is_own_origin(std::string_view origin, std::string_view host_header) const;

    std::set<std::string> hosts_;
    bool any_address_ = false;  // bound to all interfaces: every literal address is ours
    std::string public_origin_;
    std::string api_key_;
    services::LoginDesk* logins_;
    std::set<std::string> trusted_proxies_;
};

/// Same bytes? Takes the same time wherever they differ.
bool equal_secrets(std::string_view a, std::string_view b);

/// The password of "Basic …" or the token of "Bearer …"; empty when there is none.
std::string credential(std::string_view authorization);

/// May the server bind to this address with these options? @errors kPermissionDenied with what to
/// do.
Result<> check_binding(bool is_loopback, const ServerOptions& options);

}  // namespace notso::web

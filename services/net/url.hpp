// HttpUrl: an http or https address, checked once. Everything that leaves the machine goes to one
// of these.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

/// An absolute address. Its parts are as they go over the wire: host in lower case, path never
/// empty.
struct HttpUrl {
    std::string scheme;  ///< "http" or "https"
    std::string host;    ///< Name or address; an IPv6 address keeps its brackets.
    std::uint16_t port = 0;
    std::string path;   ///< Begins with '/'.
    std::string query;  ///< Without '?'; may hold a secret (signed links), so no message shows it.

    bool operator==(const HttpUrl&) const = default;

    /// The whole address.
    std::string text() const;
    /// For people and logs: scheme, host, port where it is not the usual one, and path.
    std::string label() const;
    /// "example.org" or "example.org:8080".
    std::string host_label() const;
    /// Same scheme, host and port: what may see the same secrets.
    bool same_origin(const HttpUrl& other) const;
    /// localhost, 127.0.0.0/8 or [::1]: the text stays on this machine.
    bool is_loopback() const;
    /// This address with `more` ("/models") behind its path, and without its query.
    HttpUrl below(std::string_view more) const;
};

/// Reads an absolute http or https address; a fragment is dropped.
/// @errors kInvalidArgument: another scheme, a name or password in it, control characters, no host,
/// too long.
///         The text itself is never repeated: it may hold a secret.
Result<HttpUrl> parse_http_url(std::string_view text);

/// Where `location` (absolute or relative, as a server sent it) leads from `base`.
/// @errors kInvalidArgument as parse_http_url, and from https to http.
Result<HttpUrl> resolve_http_url(const HttpUrl& base, std::string_view location);

}  // namespace notso::services

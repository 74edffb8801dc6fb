// Addresses are taken apart by libcurl's own parser: the one that connects reads them the same way.
#include "services/net/url.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace notso::services {
namespace {

constexpr std::size_t kMaxUrlBytes = 4096;

struct FreeUrl {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
    std::string out = text;
    curl_free(text);
    return out;
}

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c != 0x7f; });
}

std::uint16_t usual_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

Result<HttpUrl> take_apart(CURLU* url) {
    if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_PASSWORD).empty()) {
        return fail(
            ErrorCode::kInvalidArgument,
            "the address has a user name or password in it; leave it out and give a key instead");
    }
    HttpUrl out;
    out.scheme = part_of(url, CURLUPART_SCHEME);
    if (out.scheme != "http" && out.scheme != "https")
        return fail(ErrorCode::kInvalidArgument, "the address must begin with http:// or https://");
    out.host = part_of(url, CURLUPART_HOST);
    std::ranges::transform(out.host, out.host.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const std::string port = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (out.host.empty() || read.ec != std::errc() || out.port == 0)
        return fail(ErrorCode::kInvalidArgument, "the address has no usable host and port");
    out.path = part_of(url, CURLUPART_PATH);
    if (out.path.empty()) out.path.push_back('/');
    out.query = part_of(url, CURLUPART_QUERY);
    if (!is_plain(out.host) || !is_plain(out.path) || !is_plain(out.query))
        return fail(ErrorCode::kInvalidArgument,
                    "the address has characters that must be escaped (%20)");
    return out;
}

Result<HttpUrl> parse(const HttpUrl* base, std::string_view text) {
    const bool hidden = text.find('\0') != std::string_view::npos;
    if (text.empty() || text.size() > kMaxUrlBytes || hidden) {
        return fail(ErrorCode::kInvalidArgument,
                    "the address must have 1 to {} bytes and no null among them",
                    kMaxUrlBytes);
    }
    const UrlHandle url(curl_url());
    if (!url) return fail(ErrorCode::kOutOfMemory, "not enough memory to read an address");
    if (base != nullptr &&
        curl_url_set(url.get(), CURLUPART_URL, base->text().c_str(), 0) != CURLUE_OK)
        return fail(ErrorCode::kInternal, "an address that was checked can't be read again");
    const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0);
    if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME)
        return fail(ErrorCode::kInvalidArgument, "the address must begin with http:// or https://");
    if (code != CURLUE_OK)
        return fail(
            ErrorCode::kInvalidArgument, "the address can't be read: {}", curl_url_strerror(code));
    return take_apart(url.get());
}

}  // namespace

std::string HttpUrl::host_label() const {
    return port == usual_port(scheme) ? host : fmt::format("{}:{}", host, port);
}

std::string HttpUrl::label() const { return fmt::format("{}://{}{}", scheme, host_label(), path); }

std::string HttpUrl::text() const { return query.empty() ? label() : label() + "?" + query; }

bool HttpUrl::same_origin(const HttpUrl& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
}

bool HttpUrl::is_loopback() const {
    // libcurl has turned other spellings of an IPv4 address ("127.1") into four numbers.
    const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
    return host == "localhost" || host == "[::1]" || (numeric && host.starts_with("127."));
}

HttpUrl HttpUrl::below(std::string_view more) const {
    HttpUrl out = *this;
    while (out.path.ends_with('/')) out.path.pop_back();
    out.path += more;
    out.query.clear();
    return out;
}

Result<HttpUrl> parse_http_url(std::string_view text) { return parse(nullptr, text); }

Result<HttpUrl> resolve_http_url(const HttpUrl& base, std::string_view location) {
    NOTSO_TRY(HttpUrl to, parse(&base, location));
    if (base.scheme == "https" && to.scheme != "https") {
        return fail(
            ErrorCode::kInvalidArgument, "{} is not encrypted; use another address", to.label());
    }
    return to;
}

}  // namespace notso::services

#include "services/net/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace notso::services {
namespace {

struct Range {
    const char* first;
    unsigned bits;
};

/// IANA's special-purpose registry.
constexpr Range kNotPublicV4[] = {
    {"0.0.0.0", 8},        // this network
    {"10.0.0.0", 8},       // private
    {"100.64.0.0", 10},    // behind a provider's NAT
    {"127.0.0.0", 8},      // loopback
    {"169.254.0.0", 16},   // link-local; metadata of cloud machines
    {"172.16.0.0", 12},    // private
    {"192.0.0.0", 24},     // protocol assignments
    {"192.0.2.0", 24},     // documentation
    {"192.88.99.0", 24},   // 6to4 relays
    {"192.168.0.0", 16},   // private
    {"198.18.0.0", 15},    // benchmarks
    {"198.51.100.0", 24},  // documentation
    {"203.0.113.0", 24},   // documentation
    {"224.0.0.0", 4},      // multicast
    {"240.0.0.0", 4},      // reserved, broadcast
};

/// Of IPv6 only 2000::/3 is given to anybody, and of that not:
constexpr Range kNotPublicV6[] = {
    {"2001::", 23},      // protocol assignments: Teredo, ORCHID, benchmarks
    {"2001:db8::", 32},  // documentation
    {"2002::", 16},      // 6to4: an IPv4 address inside
    {"3fff::", 20},      // documentation
};

bool shares_prefix(const std::uint8_t* a, const std::uint8_t* b, unsigned bits) {
    const unsigned whole = bits / 8;
    if (std::memcmp(a, b, whole) != 0) return false;
    const unsigned rest = bits % 8;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool is_in(const std::uint8_t* bytes, int family, const Range& range) {
    std::array<std::uint8_t, 16> first{};
    ::inet_pton(family, range.first, first.data());
    return shares_prefix(bytes, first.data(), range.bits);
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    const std::string copy(text);
    if (copy.size() != std::strlen(copy.c_str())) return std::nullopt;
    IpAddress out;
    out.is_v4_ = ::inet_pton(AF_INET, copy.c_str(), out.bytes_.data()) == 1;
    if (out.is_v4_ || ::inet_pton(AF_INET6, copy.c_str(), out.bytes_.data()) == 1) return out;
    return std::nullopt;
}

std::optional<IpAddress> IpAddress::from(const sockaddr& address) {
    IpAddress out;
    if (address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        std::memcpy(out.bytes_.data(), &v4.sin_addr, sizeof v4.sin_addr);
        out.is_v4_ = true;
        return out;
    }
    if (address.sa_family != AF_INET6) return std::nullopt;
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    std::memcpy(out.bytes_.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    return out;
}

bool IpAddress::is_public() const {
    const std::uint8_t* bytes = bytes_.data();
    if (is_v4_) {
        return std::ranges::none_of(kNotPublicV4,
                                    [&](const Range& r) { return is_in(bytes, AF_INET, r); });
    }
    return (bytes[0] & 0xe0) == 0x20 && std::ranges::none_of(kNotPublicV6, [&](const Range& r) {
               return is_in(bytes, AF_INET6, r);
           });
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> out{};
    ::inet_ntop(is_v4_ ? AF_INET : AF_INET6, bytes_.data(), out.data(), out.size());
    return out.data();
}

}  // namespace notso::services

// IpAddress: a numeric address, and whether it belongs to the public internet. Whoever fetches what
// a model or a page names must not reach this machine or its neighbours.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace notso::services {

class IpAddress {
  public:
    /// "192.0.2.1", "2001:db8::1", "[2001:db8::1]"; no zones, no other spellings of numbers.
    static std::optional<IpAddress> parse(std::string_view text);
    /// Nothing for other families.
    static std::optional<IpAddress> from(const sockaddr& address);

    bool operator==(const IpAddress&) const = default;

    bool is_v4() const { return is_v4_; }
    /// False for loopback, private, shared, link-local, multicast, documentation and reserved ones,
    /// and for those that carry an IPv4 address inside (mapped, 6to4, NAT64, Teredo).
    bool is_public() const;
    /// Without brackets.
    std::string text() const;

  private:
    std::array<std::uint8_t, 16> bytes_{};  // IPv4: the first four
    bool is_v4_ = false;
};

}  // namespace notso::services

#include "web/middleware/visitors.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/random.hpp"

namespace notso::web {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::int64_t kSpaceSeconds = std::int64_t{400} * 24 * 3600;  // browsers keep none longer

/// 128 bits of a hash as hex digits: what it was made from can't be found in the database.
std::string digest(std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> bytes{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data());
    std::string hex;
    for (std::size_t i = 0; i < kIdDigits / 2; ++i) hex += fmt::format("{:02x}", bytes[i]);
    return hex;
}

bool is_id(std::string_view text) {
    return text.size() == kIdDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Visitors::Visitors(const ServerOptions& options)
    : spaces_(options.spaces),
      secure_(options.public_url.starts_with("https://")),
      cookie_name_(secure_ ? "__Host-notso-space" : "notso-space"),
      api_key_(options.api_key) {}

std::string Visitors::identify(Request& request, const Route& route) const {
    request.owner = services::local_owner();
    request.owner_is_one_person = false;
    if (!spaces_) return {};
    std::string space = request.cookie(cookie_name_);
    const bool known = is_id(space);
    if (route.open || (route.api && !known)) {
        request.owner = program_owner();
        return {};
    }
    if (!known) space = random_id();
    request.owner = {"space-" + digest("notso space " + space)};
    request.owner_is_one_person = true;
    // The start page keeps the cookie young.
    const bool renews = !known || (route.method == Method::kGet && route.pattern == "/");
    return renews ? space_cookie(space) : std::string();
}

std::string Visitors::space_cookie(const std::string& value) const {
    return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}",
                       cookie_name_,
                       value,
                       kSpaceSeconds,
                       secure_ ? "; Secure" : "");
}

services::OwnerId Visitors::program_owner() const {
    return {"key-" + digest("notso key " + api_key_)};
}

}  // namespace notso::web

#include "web/middleware/visitors.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <string_view>

#include "base/random.hpp"
#include "services/accounts/login_desk.hpp"
#include "web/middleware/cookies.hpp"
#include "web/middleware/request_guard.hpp"

namespace notso::web {
namespace {

constexpr std::size_t kIdDigits = 32;

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
      https_(options.public_url.starts_with("https://")),
      api_key_(options.api_key),
      logins_(options.logins) {}

std::optional<Header> Visitors::identify(Request& request, const Route& route) const {
    request.owner = services::local_owner();
    request.owner_is_one_person = false;
    if (logins_ != nullptr && logins_->required()) {
        identify_account(request, route);
        return std::nullopt;
    }
    if (!spaces_) return std::nullopt;
    std::string space = read_cookie(request, kSpaceCookie, https_);
    const bool known = is_id(space);
    if (route.open || (route.api && !known)) {
        request.owner = program_owner();
        return std::nullopt;
    }
    if (!known) space = random_id();
    request.owner = {"space-" + digest("notso space " + space)};
    request.owner_is_one_person = true;
    // The start page keeps the cookie young.
    const bool renews = !known || (route.method == Method::kGet && route.pattern == "/");
    if (!renews) return std::nullopt;
    return set_cookie(kSpaceCookie, space, https_);
}

void Visitors::identify_account(Request& request, const Route& route) const {
    request.owner = {};
    if (const auto who = logins_->find(read_cookie(request, kLoginCookie, https_))) {
        request.owner = who->owner;
        request.account = who->account;
        request.owner_is_one_person = true;
    } else if (route.api && !api_key_.empty() &&
               equal_secrets(credential(request.header("authorization")), api_key_)) {
        request.owner = program_owner();
    }
}

services::OwnerId Visitors::program_owner() const {
    return {"key-" + digest("notso key " + api_key_)};
}

}  // namespace notso::web

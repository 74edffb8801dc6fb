// Whose request it is: everybody is the person at this machine, or each browser has a space of its
// own, named by a cookie, or people have accounts. Decided once per request, before its handler;
// handlers read Request::owner.
#pragma once

#include <optional>
#include <string>

#include "web/http/exchange.hpp"
#include "web/http/options.hpp"

namespace notso::web {

/// Built once from the options.
class Visitors {
  public:
    explicit Visitors(const ServerOptions& options);

    /// Sets owner, owner_is_one_person and account. With accounts, who has not signed in is nobody.
    /// A browser without a space gets one: a cookie that the response has to set.
    std::optional<Header> identify(Request& request, const Route& route) const;

  private:
    void identify_account(Request& request, const Route& route) const;
    /// Programs that send no cookie share a space per key.
    services::OwnerId program_owner() const;

    bool spaces_;
    bool https_;
    std::string api_key_;
    services::LoginDesk* logins_;
};

}  // namespace notso::web

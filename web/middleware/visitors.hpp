// Whose request it is: everybody is the person at this machine, or each browser has a space of its
// own, named by a cookie. Decided once per request, before its handler; handlers read
// Request::owner.
#pragma once

#include <string>

#include "web/http/exchange.hpp"
#include "web/http/options.hpp"

namespace notso::web {

/// Built once from the options; immutable.
class Visitors {
  public:
    explicit Visitors(const ServerOptions& options);

    /// Sets owner and owner_is_one_person. A browser without a space gets one: a cookie that the
    /// response has to set.
    /// @return a Set-Cookie value, or nothing.
    std::string identify(Request& request, const Route& route) const;

  private:
    std::string space_cookie(const std::string& value) const;
    /// Programs that send no cookie share a space per key.
    services::OwnerId program_owner() const;

    bool spaces_;
    bool secure_;
    std::string cookie_name_;
    std::string api_key_;
};

}  // namespace notso::web

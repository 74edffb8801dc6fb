// Signing in and out, and what an account's owner can do about it: plain forms.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET  /login                        ?next= where to go afterwards (a path of this server)
/// POST /login                        name, password, next
/// POST /logout                       ends the login of this browser
/// GET  /account                      who one is; ?changed=1 says that the password was changed
/// POST /account/password             old, new: ends all other logins
/// POST /account/sign-out-everywhere
void add_account_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web

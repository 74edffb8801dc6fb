// AccountStore: who may sign in, and where they have. Passwords and tokens are stored as hashes
// only.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "services/session/owner_id.hpp"

namespace notso::services {

struct Account {
    std::string name;
    OwnerId owner;
    std::string password_hash;
    UnixMs created_at = 0;
};

/// A browser that has signed in.
struct Login {
    std::string token_hash;
    std::string account;  ///< Name.
    UnixMs created_at = 0;
    UnixMs used_at = 0;  ///< To a day.
};

/// "anna" of "Anna": 1 to 64 of a-z 0-9 . _ - @, in any case. @errors kInvalidArgument.
Result<std::string> account_name(const std::string& text);

/// Not thread-safe: all calls come from the one database thread. Errors beside those named are
/// those of SessionStore.
class AccountStore {
  public:
    virtual ~AccountStore() = default;

    /// By name.
    virtual Result<std::vector<Account>> accounts() = 0;
    /// @errors kAlreadyExists.
    virtual Result<> add_account(const Account& account) = 0;
    /// Ends its logins, too. @errors kNotFound.
    virtual Result<> set_password(const std::string& name, const std::string& hash) = 0;
    /// Its logins go with it; what it owns stays. @errors kNotFound.
    virtual Result<> remove_account(const std::string& name) = 0;
    /// Gives everything of one owner to another one.
    virtual Result<> hand_over(const OwnerId& from, const OwnerId& to) = 0;

    virtual Result<std::vector<Login>> logins() = 0;
    /// Adds it, or writes when it was used.
    virtual Result<> put_login(const Login& login) = 0;
    /// Success also when it is not there.
    virtual Result<> remove_login(const std::string& token_hash) = 0;
    virtual Result<> remove_logins(const std::string& account) = 0;
};

}  // namespace notso::services

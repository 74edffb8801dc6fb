// LoginDesk: who is signed in where. Accounts and logins are few: all are in memory, so that asking
// costs no query; what changes goes to the store. Lives on the io thread; passwords are checked on
// `compute`, a few at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "services/accounts/account_store.hpp"
#include "services/accounts/attempt_limit.hpp"

namespace notso::services {

struct LoginDeps {
    AccountStore& store;  ///< Used on `database` only.
    Executor& io;
    Executor& database;
    Executor& compute;
};

/// What the store has at the start.
struct LoginRecords {
    std::vector<Account> accounts;
    std::vector<Login> logins;
};
/// For the time before the database thread has the store. @errors those of the store.
Result<LoginRecords> load_logins(AccountStore& store);

struct LoginAttempt {
    std::string name;
    std::string password;
    std::string address;  ///< Whence it comes.
};

struct PasswordChange {
    std::string account;  ///< Name.
    std::string old_password;
    std::string new_password;
    std::string address;
};

/// Whose browser it is.
struct SignedIn {
    std::string account;  ///< Name.
    OwnerId owner;

    bool operator==(const SignedIn&) const = default;
};

class LoginDesk {
  public:
    static constexpr UnixMs kLifetimeMs = UnixMs{30} * 24 * 3600 * 1000;  ///< Without use.
    static constexpr std::size_t kMaxLogins = 20;                         ///< Of one account.
    static constexpr int kMaxPerAddress = 10;  ///< Wrong passwords within kWindow.
    static constexpr int kMaxPerAccount = 30;  ///< The same, from anywhere.
    static constexpr std::chrono::minutes kWindow{10};
    static constexpr int kMaxAtOnce = 4;

    using TokenDone = std::move_only_function<void(Result<std::string>)>;
    using Done = std::move_only_function<void(Result<>)>;

    LoginDesk(const LoginDeps& deps, LoginRecords records);

    /// Whether there are accounts: then nobody gets in without one.
    bool required() const { return !accounts_.empty(); }
    /// @param token  As sign_in() gave it; anything else is nobody.
    std::optional<SignedIn> find(const std::string& token);

    /// A token for the browser, 256 random bits. @errors kPermissionDenied: name or password is
    /// wrong, and not which; kOverloaded: too many attempts, with the time to wait.
    void sign_in(LoginAttempt attempt, TokenDone done);
    /// Ends one login. The token is worth nothing at once, whatever the store says.
    void sign_out(const std::string& token, Done done);
    void sign_out_everywhere(const std::string& account, Done done);
    std::size_t login_count(const std::string& account) const;
    /// Ends all logins of the account but a new one. @errors kPermissionDenied: the old password is
    /// wrong; kInvalidArgument; kOverloaded.
    void change_password(PasswordChange change, TokenDone done);

  private:
    using Verified = std::move_only_function<void(Result<Account>)>;
    void verify(LoginAttempt attempt, Verified done);
    Result<> admit(const LoginAttempt& attempt);
    void open_login(const Account& account, TokenDone done);
    void store_login(const Login& login, std::string token, TokenDone done);
    void keep_password(Account account, TokenDone done);
    void forget_logins(const std::string& account);
    void drop_oldest(const std::string& account);
    /// `work` on the database thread, then `done` on io.
    void store(std::move_only_function<Result<>(AccountStore&)> work, Done done);

    LoginDeps deps_;
    std::map<std::string, Account> accounts_;  // by name
    std::map<std::string, Login> logins_;      // by the hash of the token
    AttemptLimit by_address_{kMaxPerAddress, kWindow};
    AttemptLimit by_account_{kMaxPerAccount, kWindow};
    int at_once_ = 0;
    std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);  // last: dies first
};

}  // namespace notso::services

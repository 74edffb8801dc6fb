#include "services/accounts/login_desk.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "services/accounts/password.hpp"
#include "services/models/sha256.hpp"

namespace notso::services {
namespace {

constexpr UnixMs kDayMs = UnixMs{24} * 3600 * 1000;

/// What the store knows of a token.
std::string hash_of(const std::string& token) {
    Sha256 sha;
    sha.update(std::as_bytes(std::span(token)));
    return sha.hex();
}

std::unexpected<Error> wrong() {
    return fail(ErrorCode::kPermissionDenied, "the name or the password is wrong");
}

}  // namespace

Result<LoginRecords> load_logins(AccountStore& store) {
    LoginRecords records;
    NOTSO_TRY(records.accounts, store.accounts());
    NOTSO_TRY(records.logins, store.logins());
    return records;
}

LoginDesk::LoginDesk(const LoginDeps& deps, LoginRecords records) : deps_(deps) {
    for (Account& account : records.accounts) {
        const std::string name = account.name;
        accounts_.emplace(name, std::move(account));
    }
    for (Login& login : records.logins) {
        const std::string hash = login.token_hash;
        logins_.emplace(hash, std::move(login));
    }
}

void LoginDesk::store(std::move_only_function<Result<>(AccountStore&)> work, Done done) {
    deps_.database.post([accounts = &deps_.store,
                         io = &deps_.io,
                         alive = std::weak_ptr(alive_),
                         work = std::move(work),
                         done = std::move(done)]() mutable {
        Result<> stored = work(*accounts);
        io->post([alive, stored = std::move(stored), done = std::move(done)]() mutable {
            if (!alive.expired()) done(std::move(stored));
        });
    });
}

std::optional<SignedIn> LoginDesk::find(const std::string& token) {
    if (token.empty()) return std::nullopt;
    const auto found = logins_.find(hash_of(token));
    if (found == logins_.end()) return std::nullopt;
    Login& login = found->second;
    const auto account = accounts_.find(login.account);
    const UnixMs now = now_ms();
    if (account == accounts_.end() || now - login.used_at > kLifetimeMs) {
        store([hash = found->first](AccountStore& to) { return to.remove_login(hash); },
              [](const Result<>&) {});
        logins_.erase(found);
        return std::nullopt;
    }
    if (now - login.used_at > kDayMs) {
        login.used_at = now;
        store([login](AccountStore& to) { return to.put_login(login); },
              [](const Result<>& stored) {
                  if (!stored) log::warn("a login's use is not stored: {}", stored.error().detail);
              });
    }
    return SignedIn{account->first, account->second.owner};
}

Result<> LoginDesk::admit(const LoginAttempt& attempt) {
    const auto now = SteadyClock::now();
    const auto wait =
        std::max(by_address_.wait(attempt.address, now), by_account_.wait(attempt.name, now));
    if (wait.count() > 0) {
        return fail(ErrorCode::kOverloaded,
                    "there were too many attempts to sign in: try again in {} minutes",
                    std::chrono::ceil<std::chrono::minutes>(wait).count());
    }
    if (at_once_ >= kMaxAtOnce) {
        return fail(ErrorCode::kOverloaded,
                    "too many people sign in at this moment: try again in a few seconds");
    }
    by_address_.begin(attempt.address, now);
    by_account_.begin(attempt.name, now);
    ++at_once_;
    return {};
}

/// Where nobody has that name it takes as long.
void LoginDesk::verify(LoginAttempt attempt, Verified done) {
    attempt.name = account_name(attempt.name).value_or("");  // nobody's; what is kept stays short
    if (const Result<> admitted = admit(attempt); !admitted)
        return deps_.io.post([done = std::move(done), error = admitted.error()]() mutable {
            done(std::unexpected(std::move(error)));
        });
    const auto found = accounts_.find(attempt.name);
    const Account account = found == accounts_.end() ? Account{} : found->second;
    deps_.compute.post([this,
                        io = &deps_.io,
                        alive = std::weak_ptr(alive_),
                        attempt = std::move(attempt),
                        account,
                        done = std::move(done)]() mutable {
        const bool right = verify_password(account.password_hash, attempt.password);
        io->post([this,
                  alive,
                  right,
                  attempt = std::move(attempt),
                  account,
                  done = std::move(done)]() mutable {
            if (alive.expired()) return;
            --at_once_;
            const auto now = accounts_.find(account.name);
            const bool unchanged =
                now != accounts_.end() && now->second.password_hash == account.password_hash;
            if (!right || !unchanged) {
                log::warn("event=login_refused client={}", log::field(attempt.address));
                return done(wrong());
            }
            by_address_.take_back(attempt.address);
            by_account_.take_back(attempt.name);
            done(account);
        });
    });
}

void LoginDesk::sign_in(LoginAttempt attempt, TokenDone done) {
    verify(std::move(attempt), [this, done = std::move(done)](Result<Account> account) mutable {
        if (!account) return done(std::unexpected(std::move(account).error()));
        open_login(*account, std::move(done));
    });
}

void LoginDesk::open_login(const Account& account, TokenDone done) {
    std::string token = random_id() + random_id();
    const UnixMs now = now_ms();
    const Login login{hash_of(token), account.name, now, now};
    store_login(login, std::move(token), std::move(done));
}

void LoginDesk::store_login(const Login& login, std::string token, TokenDone done) {
    store([login](AccountStore& to) { return to.put_login(login); },
          [this, login, token = std::move(token), done = std::move(done)](Result<> stored) mutable {
              if (!stored) return done(std::unexpected(std::move(stored).error()));
              logins_[login.token_hash] = login;
              drop_oldest(login.account);
              log::info("event=login");
              done(std::move(token));
          });
}

std::size_t LoginDesk::login_count(const std::string& account) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        logins_, [&](const auto& entry) { return entry.second.account == account; }));
}

void LoginDesk::drop_oldest(const std::string& account) {
    if (login_count(account) <= kMaxLogins) return;
    auto oldest = logins_.end();
    for (auto at = logins_.begin(); at != logins_.end(); ++at) {
        if (at->second.account != account) continue;
        if (oldest == logins_.end() || at->second.used_at < oldest->second.used_at) oldest = at;
    }
    store([hash = oldest->first](AccountStore& to) { return to.remove_login(hash); },
          [](const Result<>&) {});
    logins_.erase(oldest);
}

void LoginDesk::sign_out(const std::string& token, Done done) {
    const std::string hash = hash_of(token);
    logins_.erase(hash);
    store([hash](AccountStore& to) { return to.remove_login(hash); }, std::move(done));
}

void LoginDesk::sign_out_everywhere(const std::string& account, Done done) {
    forget_logins(account);
    store([account](AccountStore& to) { return to.remove_logins(account); }, std::move(done));
}

void LoginDesk::forget_logins(const std::string& account) {
    std::erase_if(logins_, [&](const auto& entry) { return entry.second.account == account; });
}

void LoginDesk::change_password(PasswordChange change, TokenDone done) {
    if (const Result<> fits = check_password(change.new_password); !fits)
        return deps_.io.post([done = std::move(done), error = fits.error()]() mutable {
            done(std::unexpected(std::move(error)));
        });
    verify({change.account, std::move(change.old_password), change.address},
           [this, wanted = std::move(change.new_password), done = std::move(done)](
               Result<Account> account) mutable {
               if (!account) return done(std::unexpected(std::move(account).error()));
               deps_.compute.post([this,
                                   io = &deps_.io,
                                   alive = std::weak_ptr(alive_),
                                   account = *std::move(account),
                                   wanted = std::move(wanted),
                                   done = std::move(done)]() mutable {
                   auto hash = hash_password(wanted);
                   io->post([this,
                             alive,
                             account,
                             hash = std::move(hash),
                             done = std::move(done)]() mutable {
                       if (alive.expired()) return;
                       if (!hash) return done(std::unexpected(std::move(hash).error()));
                       account.password_hash = *std::move(hash);
                       keep_password(std::move(account), std::move(done));
                   });
               });
           });
}

void LoginDesk::keep_password(Account account, TokenDone done) {
    store([name = account.name,
           hash = account.password_hash](AccountStore& to) { return to.set_password(name, hash); },
          [this, account, done = std::move(done)](Result<> stored) mutable {
              if (!stored) return done(std::unexpected(std::move(stored).error()));
              accounts_[account.name] = account;
              forget_logins(account.name);
              open_login(account, std::move(done));
          });
}

}  // namespace notso::services

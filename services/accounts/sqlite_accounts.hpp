// SqliteAccounts: accounts in the database of the conversations, over its one connection.
#pragma once

#include "services/accounts/account_store.hpp"
#include "services/session/sqlite.hpp"

namespace notso::services {

class SqliteAccounts final : public AccountStore {
  public:
    /// The database has the newest layout, and outlives this.
    explicit SqliteAccounts(sqlite::Database& database) : database_(database) {}

    Result<std::vector<Account>> accounts() override;
    Result<> add_account(const Account& account) override;
    Result<> set_password(const std::string& name, const std::string& hash) override;
    Result<> remove_account(const std::string& name) override;
    Result<> hand_over(const OwnerId& from, const OwnerId& to) override;
    Result<std::vector<Login>> logins() override;
    Result<> put_login(const Login& login) override;
    Result<> remove_login(const std::string& token_hash) override;
    Result<> remove_logins(const std::string& account) override;

  private:
    Result<> run(std::string_view sql, const std::vector<std::string>& values);

    sqlite::Database& database_;
};

}  // namespace notso::services

#include "services/accounts/sqlite_accounts.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace notso::services {
namespace {

using sqlite::Statement;
using sqlite::Transaction;

constexpr std::size_t kLongestName = 64;

std::unexpected<Error> no_account(const std::string& name) {
    return fail(ErrorCode::kNotFound, "there is no account {}", log::field(name));
}

}  // namespace

Result<std::string> account_name(const std::string& text) {
    std::string name = text;
    std::ranges::transform(
        name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    const bool fits =
        !name.empty() && name.size() <= kLongestName &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-@") == std::string::npos;
    if (fits) return name;
    return fail(ErrorCode::kInvalidArgument,
                "an account's name has 1 to {} of the characters a-z, 0-9, '.', '_', '-' and '@'",
                kLongestName);
}

Result<> SqliteAccounts::run(std::string_view sql, const std::vector<std::string>& values) {
    NOTSO_TRY(Statement statement, database_.prepare(sql));
    int index = 0;
    for (const std::string& value : values) statement.bind(++index, value);
    return statement.run();
}

Result<std::vector<Account>> SqliteAccounts::accounts() {
    NOTSO_TRY(
        Statement select,
        database_.prepare("SELECT name, owner, password, created_at FROM account ORDER BY name"));
    return sqlite::read_all<Account>(select, [](const Statement& row) {
        return Account{row.text(0), {row.text(1)}, row.text(2), row.integer(3)};
    });
}

Result<> SqliteAccounts::add_account(const Account& account) {
    NOTSO_TRY(Statement insert,
              database_.prepare("INSERT INTO account (name, owner, password, created_at) "
                                "VALUES (?, ?, ?, ?)"));
    const Result<> added = insert.bind(1, account.name)
                               .bind(2, account.owner.value)
                               .bind(3, account.password_hash)
                               .bind(4, account.created_at)
                               .run();
    if (!added && added.error().code == ErrorCode::kAlreadyExists)
        return fail(ErrorCode::kAlreadyExists, "there is an account {} already", account.name);
    return added;
}

Result<> SqliteAccounts::set_password(const std::string& name, const std::string& hash) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(database_));
    NOTSO_CHECK(run("UPDATE account SET password = ?2 WHERE name = ?1", {name, hash}));
    if (database_.changes() == 0) return no_account(name);
    NOTSO_CHECK(remove_logins(name));
    return transaction.commit();
}

Result<> SqliteAccounts::remove_account(const std::string& name) {
    NOTSO_CHECK(run("DELETE FROM account WHERE name = ?", {name}));
    if (database_.changes() == 0) return no_account(name);
    return {};
}

Result<> SqliteAccounts::hand_over(const OwnerId& from, const OwnerId& to) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(database_));
    for (const std::string_view sql :
         {"UPDATE conversation SET owner = ?2 WHERE owner = ?1",
          "UPDATE OR REPLACE allowed_tool SET owner = ?2 WHERE owner = ?1"}) {
        NOTSO_CHECK(run(sql, {from.value, to.value}));
    }
    return transaction.commit();
}

Result<std::vector<Login>> SqliteAccounts::logins() {
    NOTSO_TRY(Statement select,
              database_.prepare(
                  "SELECT token, account, created_at, used_at FROM login ORDER BY created_at"));
    return sqlite::read_all<Login>(select, [](const Statement& row) {
        return Login{row.text(0), row.text(1), row.integer(2), row.integer(3)};
    });
}

Result<> SqliteAccounts::put_login(const Login& login) {
    NOTSO_TRY(Statement insert,
              database_.prepare("INSERT INTO login (token, account, created_at, used_at) VALUES "
                                "(?1, ?2, ?3, ?4) ON CONFLICT (token) DO UPDATE SET used_at = ?4"));
    return insert.bind(1, login.token_hash)
        .bind(2, login.account)
        .bind(3, login.created_at)
        .bind(4, login.used_at)
        .run();
}

Result<> SqliteAccounts::remove_login(const std::string& token_hash) {
    return run("DELETE FROM login WHERE token = ?", {token_hash});
}

Result<> SqliteAccounts::remove_logins(const std::string& account) {
    return run("DELETE FROM login WHERE account = ?", {account});
}

}  // namespace notso::services

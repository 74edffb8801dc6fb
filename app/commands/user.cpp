// notso user: accounts of the people who share a server.
#include <unistd.h>

#include <iostream>

#include "app/commands/command.hpp"
#include "app/secret_input.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "services/accounts/password.hpp"
#include "services/session/data_directory.hpp"

namespace notso::app {
namespace {

using services::Account;
using services::SqliteStore;

struct Options {
    std::string action = "list";
    std::optional<std::string> name;
    bool take_local = false;
    bool yes = false;
};

Result<std::string> given_name(const Options& options) {
    if (!options.name)
        return fail(ErrorCode::kInvalidArgument, "notso user {} needs a name", options.action);
    return services::account_name(*options.name);
}

Result<Account> find(SqliteStore& store, const std::string& name) {
    NOTSO_TRY(const auto all, store.accounts().accounts());
    for (const Account& account : all) {
        if (account.name == name) return account;
    }
    return fail(ErrorCode::kNotFound, "there is no account {}", log::field(name));
}

/// Typed twice at a terminal; else the first line of stdin.
Result<std::string> new_password_hash() {
    NOTSO_TRY(const std::string password, read_secret("New password: "));
    NOTSO_CHECK(services::check_password(password));
    if (::isatty(STDIN_FILENO) != 0) {
        NOTSO_TRY(const std::string again, read_secret("The same again: "));
        if (again != password)
            return fail(ErrorCode::kInvalidArgument,
                        "the two are not the same: nothing is changed");
    }
    return services::hash_password(password);
}

Result<> add(SqliteStore& store, const Options& options) {
    NOTSO_TRY(const std::string name, given_name(options));
    NOTSO_TRY(const auto before, store.accounts().accounts());
    NOTSO_TRY(const std::string hash, new_password_hash());
    const Account account{name, {random_id()}, hash, now_ms()};
    NOTSO_CHECK(store.accounts().add_account(account));
    if (options.take_local)
        NOTSO_CHECK(store.accounts().hand_over(services::local_owner(), account.owner));
    std::cout << fmt::format("{} can sign in once the server runs.\n", name);
    if (before.empty()) std::cout << "From now on everybody has to sign in, on this machine too.\n";
    NOTSO_TRY(const auto left, store.stored_amount(services::local_owner()));
    if (left.conversations > 0) {
        std::cout << "Conversations from before belong to nobody who can sign in: "
                     "`notso user take-local NAME` gives them to an account.\n";
    }
    return {};
}

Result<> take_local(SqliteStore& store, const Options& options) {
    NOTSO_TRY(const std::string name, given_name(options));
    NOTSO_TRY(const Account account, find(store, name));
    return store.accounts().hand_over(services::local_owner(), account.owner);
}

Result<> change_password(SqliteStore& store, const Options& options) {
    NOTSO_TRY(const std::string name, given_name(options));
    NOTSO_CHECK(find(store, name));
    NOTSO_TRY(const std::string hash, new_password_hash());
    NOTSO_CHECK(store.accounts().set_password(name, hash));
    std::cout << fmt::format("{} has to sign in again everywhere.\n", name);
    return {};
}

Result<> remove(SqliteStore& store, const Options& options) {
    NOTSO_TRY(const std::string name, given_name(options));
    NOTSO_TRY(const Account account, find(store, name));
    if (!options.yes) {
        std::cout << fmt::format(
                         "All conversations of {} are deleted for good. Type the name again: ",
                         name)
                  << std::flush;
        std::string typed;
        if (!std::getline(std::cin, typed) || typed != name)
            return fail(ErrorCode::kCancelled, "nothing is deleted");
    }
    // The account last: should it fail in between, the next try goes on.
    NOTSO_CHECK(store.delete_all_of(account.owner));
    return store.accounts().remove_account(name);
}

Result<> list(SqliteStore& store, const Options&) {
    NOTSO_TRY(const auto all, store.accounts().accounts());
    NOTSO_TRY(const auto logins, store.accounts().logins());
    if (all.empty()) std::cout << "no accounts: everybody who reaches the server gets in\n";
    for (const Account& account : all) {
        const auto count = std::ranges::count(logins, account.name, &services::Login::account);
        std::cout << fmt::format("{:<32} {} login{}\n", account.name, count, count == 1 ? "" : "s");
    }
    return {};
}

struct Action {
    const char* name;
    Result<> (*run)(SqliteStore& store, const Options& options);
};

constexpr Action kActions[] = {{"add", add},
                               {"remove", remove},
                               {"list", list},
                               {"passwd", change_password},
                               {"take-local", take_local}};

Result<int> run(const Settings& settings, const Options& options) {
    NOTSO_TRY(const auto directory, services::DataDirectory::open(settings.data_dir));
    NOTSO_TRY(const auto store, directory.open_store());
    for (const Action& action : kActions) {
        if (options.action != action.name) continue;
        NOTSO_CHECK(action.run(*store, options));
    }
    return kExitOk;
}

}  // namespace

CommandBody declare_user(OptionList& options) {
    auto values = std::make_shared<Options>();
    std::vector<std::string> names;
    for (const Action& action : kActions) names.emplace_back(action.name);
    options.choice(
        "action", values->action, names, "add, remove, list (default), passwd, take-local");
    options.text("name", values->name, "the account");
    options.flag("--take-local",
                 values->take_local,
                 "add: the account gets the conversations that were made without one");
    options.flag("--yes", values->yes, "remove: don't ask");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app

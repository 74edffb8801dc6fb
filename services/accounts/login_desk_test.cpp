#include "services/accounts/login_desk.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/serial_worker.hpp"
#include "services/accounts/password.hpp"
#include "services/chat/fake_backend.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

class LoginDeskTest : public testing::Test {
  protected:
    LoginDeskTest() {
        const auto hash = *hash_password("right password");
        for (const char* name : {"anna", "bert"})
            EXPECT_TRUE(
                store_->accounts().add_account({name, {std::string("o-") + name}, hash, 1}));
        restart();
    }
    ~LoginDeskTest() override {
        compute_.stop();
        database_.stop();
    }
    void restart() {
        desk_.reset();
        desk_ =
            std::make_unique<LoginDesk>(LoginDeps{store_->accounts(), loop_, database_, compute_},
                                        *load_logins(store_->accounts()));
    }
    template <class T, class Start>
    Result<T> await(Start start) {
        std::optional<Result<T>> result;
        start([&result](Result<T> value) { result.emplace(std::move(value)); });
        loop_.run_until([&result] { return result.has_value(); });
        return *std::move(result);
    }
    Result<std::string> sign_in(std::string name,
                                std::string password = "right password",
                                std::string address = "10.0.0.1") {
        return await<std::string>([&](auto done) {
            desk_->sign_in({std::move(name), std::move(password), std::move(address)},
                           std::move(done));
        });
    }
    /// As if it had been used last so long ago.
    void age(UnixMs by) {
        await<void>([&](auto done) { desk_->sign_out("nobody's", std::move(done)); });  // written
        const Login login = store_->accounts().logins()->front();
        ASSERT_TRUE(store_->accounts().put_login(
            {login.token_hash, login.account, login.created_at, now_ms() - by}));
        restart();
    }

    const TempDirectory temp_;
    std::unique_ptr<SqliteStore> store_ = *SqliteStore::open(temp_.path() / "test.db");
    RunLoop loop_;
    SerialWorker database_{"test-db"};
    SerialWorker compute_{"test-compute"};
    std::unique_ptr<LoginDesk> desk_;
};

ErrorCode code_of(const Result<std::string>& result) {
    return result ? ErrorCode::kInternal : result.error().code;
}

TEST_F(LoginDeskTest, ATokenIsItsAccountAlsoAfterARestart) {
    const auto token = sign_in("Anna");
    ASSERT_TRUE(token) << token.error().detail;
    EXPECT_EQ(token->size(), 64u) << "256 bits";
    EXPECT_EQ(desk_->find(*token)->account, "anna");
    EXPECT_EQ(desk_->find(*token)->owner, OwnerId{"o-anna"});
    EXPECT_NE(store_->accounts().logins()->front().token_hash, *token);
    restart();
    EXPECT_EQ(desk_->find(*token)->account, "anna");
    for (const std::string& other : {std::string(),
                                     token->substr(1),
                                     *token + "0",
                                     store_->accounts().logins()->front().token_hash})
        EXPECT_EQ(desk_->find(other), std::nullopt);
}

TEST_F(LoginDeskTest, WrongNamesAndPasswordsAreTheSame) {
    const auto wrong = sign_in("anna", "wrong password");
    const auto nobody = sign_in("nobody");
    const auto no_name = sign_in("../etc");
    EXPECT_EQ(code_of(wrong), ErrorCode::kPermissionDenied);
    EXPECT_EQ(wrong.error().detail, nobody.error().detail);
    EXPECT_EQ(wrong.error().detail, no_name.error().detail);
    EXPECT_TRUE(store_->accounts().logins()->empty());
}

TEST_F(LoginDeskTest, ItEndsAtOnceAndForGood) {
    const auto first = sign_in("anna");
    const auto second = sign_in("anna");
    const auto other = sign_in("bert");
    std::optional<Result<>> done;
    desk_->sign_out(*first, [&](Result<> result) { done = result; });
    EXPECT_EQ(desk_->find(*first), std::nullopt) << "before the store knows";
    loop_.run_until([&] { return done.has_value(); });
    EXPECT_TRUE(desk_->find(*second));
    ASSERT_TRUE(
        await<void>([&](auto finish) { desk_->sign_out_everywhere("anna", std::move(finish)); }));
    restart();
    EXPECT_EQ(desk_->find(*first), std::nullopt);
    EXPECT_EQ(desk_->find(*second), std::nullopt);
    EXPECT_TRUE(desk_->find(*other));
}

TEST_F(LoginDeskTest, ANewPasswordEndsAllOtherLogins) {
    const auto old = sign_in("anna");
    const auto change = [&](std::string from, std::string to) {
        return await<std::string>([&](auto done) {
            desk_->change_password({"anna", std::move(from), std::move(to), "10.0.0.1"},
                                   std::move(done));
        });
    };
    EXPECT_EQ(code_of(change("wrong password", "new password")), ErrorCode::kPermissionDenied);
    EXPECT_EQ(code_of(change("right password", "short")), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(desk_->find(*old));
    const auto fresh = change("right password", "new password");
    ASSERT_TRUE(fresh) << fresh.error().detail;
    EXPECT_EQ(desk_->find(*old), std::nullopt);
    EXPECT_EQ(desk_->find(*fresh)->account, "anna");
    EXPECT_EQ(code_of(sign_in("anna", "right password")), ErrorCode::kPermissionDenied);
    EXPECT_TRUE(sign_in("anna", "new password"));
}

TEST_F(LoginDeskTest, SoManyWrongPasswordsPerAddress) {
    for (int i = 0; i < LoginDesk::kMaxPerAddress; ++i)
        EXPECT_EQ(code_of(sign_in("anna", "wrong password")), ErrorCode::kPermissionDenied);
    const auto refused = sign_in("anna");
    EXPECT_EQ(code_of(refused), ErrorCode::kOverloaded) << "also with the right one";
    EXPECT_TRUE(refused.error().detail.contains("10 minutes"));
    EXPECT_EQ(code_of(sign_in("bert")), ErrorCode::kOverloaded) << "whomever they try next";
    EXPECT_TRUE(sign_in("anna", "right password", "10.0.0.2"));
}

TEST_F(LoginDeskTest, SoManyWrongPasswordsPerAccountFromAnywhere) {
    for (int i = 0; i < LoginDesk::kMaxPerAccount; ++i)
        sign_in("anna", "wrong password", std::to_string(i));
    EXPECT_EQ(code_of(sign_in("anna", "right password", "new")), ErrorCode::kOverloaded);
    EXPECT_TRUE(sign_in("bert", "right password", "new"));
}

TEST_F(LoginDeskTest, WhatCanBeNobodysNameCountsAsOne) {
    for (int i = 0; i < LoginDesk::kMaxPerAccount; ++i)
        sign_in(std::string(1000, 'x') + std::to_string(i), "wrong password", std::to_string(i));
    EXPECT_EQ(code_of(sign_in("../", "wrong password", "new")), ErrorCode::kOverloaded);
}

TEST_F(LoginDeskTest, AFewAtOnceAreEnough) {
    std::vector<Result<std::string>> results;
    for (int i = 0; i <= LoginDesk::kMaxAtOnce; ++i) {
        desk_->sign_in({"anna", "right password", std::to_string(i)},
                       [&](Result<std::string> result) { results.push_back(std::move(result)); });
    }
    loop_.run_until([&] { return results.size() > LoginDesk::kMaxAtOnce; });
    EXPECT_EQ(std::ranges::count_if(results, [](const auto& one) { return one.has_value(); }),
              LoginDesk::kMaxAtOnce);
    EXPECT_TRUE(sign_in("anna"));
}

TEST_F(LoginDeskTest, LoginsEndWhenTheyAreNotUsed) {
    const auto token = sign_in("anna");
    age(LoginDesk::kLifetimeMs - 60'000);
    EXPECT_TRUE(desk_->find(*token)) << "which is a use";
    age(LoginDesk::kLifetimeMs + 60'000);
    EXPECT_EQ(desk_->find(*token), std::nullopt);
}

TEST_F(LoginDeskTest, TheOldestOfTooManyEnds) {
    const auto first = sign_in("anna");
    for (std::size_t i = 1; i < LoginDesk::kMaxLogins; ++i) ASSERT_TRUE(sign_in("anna"));
    EXPECT_TRUE(desk_->find(*first));
    EXPECT_EQ(desk_->login_count("anna"), LoginDesk::kMaxLogins);
    ASSERT_TRUE(sign_in("anna"));
    EXPECT_EQ(desk_->login_count("anna"), LoginDesk::kMaxLogins);
}

TEST_F(LoginDeskTest, NobodyHasToSignInWhereThereAreNoAccounts) {
    EXPECT_TRUE(desk_->required());
    ASSERT_TRUE(store_->accounts().remove_account("anna"));
    ASSERT_TRUE(store_->accounts().remove_account("bert"));
    restart();
    EXPECT_FALSE(desk_->required());
}

}  // namespace
}  // namespace notso::services

#include "services/accounts/sqlite_accounts.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

class SqliteAccountsTest : public testing::Test {
  protected:
    std::unique_ptr<SqliteStore> open() { return *SqliteStore::open(temp_.path() / "test.db"); }

    const TempDirectory temp_;
    std::unique_ptr<SqliteStore> store_ = open();
    AccountStore& accounts_ = store_->accounts();
};

TEST_F(SqliteAccountsTest, KeepsAccountsAndLogins) {
    ASSERT_TRUE(accounts_.add_account({"bert", {"b"}, "hash", 5}));
    ASSERT_TRUE(accounts_.add_account({"anna", {"a"}, "hash2", 6}));
    EXPECT_EQ(accounts_.add_account({"anna", {"c"}, "", 7}).error().code,
              ErrorCode::kAlreadyExists);
    ASSERT_TRUE(accounts_.put_login({"token", "anna", 10, 11}));
    ASSERT_TRUE(accounts_.put_login({"token", "anna", 10, 12}));
    EXPECT_FALSE(accounts_.put_login({"other", "nobody", 1, 1}));
    store_.reset();
    store_ = open();
    const auto all = *store_->accounts().accounts();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].name, "anna");
    EXPECT_EQ(all[0].owner, OwnerId{"a"});
    EXPECT_EQ(all[0].password_hash, "hash2");
    EXPECT_EQ(all[0].created_at, 6);
    const auto logins = *store_->accounts().logins();
    ASSERT_EQ(logins.size(), 1u);
    EXPECT_EQ(logins[0].token_hash, "token");
    EXPECT_EQ(logins[0].account, "anna");
    EXPECT_EQ(logins[0].created_at, 10);
    EXPECT_EQ(logins[0].used_at, 12);
}

TEST_F(SqliteAccountsTest, ANewPasswordOrNoAccountEndsItsLogins) {
    for (const char* name : {"anna", "bert"}) {
        ASSERT_TRUE(accounts_.add_account({name, {name}, "hash", 1}));
        ASSERT_TRUE(accounts_.put_login({std::string(name) + "1", name, 1, 1}));
        ASSERT_TRUE(accounts_.put_login({std::string(name) + "2", name, 1, 1}));
    }
    ASSERT_TRUE(accounts_.remove_login("bert1"));
    ASSERT_TRUE(accounts_.remove_login("bert1")) << "gone is gone";
    ASSERT_TRUE(accounts_.set_password("anna", "new"));
    EXPECT_EQ(accounts_.accounts()->front().password_hash, "new");
    ASSERT_EQ(accounts_.logins()->size(), 1u);
    EXPECT_EQ(accounts_.logins()->front().token_hash, "bert2");
    ASSERT_TRUE(accounts_.remove_account("bert"));
    EXPECT_TRUE(accounts_.logins()->empty());
    EXPECT_EQ(accounts_.accounts()->size(), 1u);
    EXPECT_EQ(accounts_.set_password("bert", "x").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(accounts_.remove_account("bert").error().code, ErrorCode::kNotFound);
}

TEST_F(SqliteAccountsTest, HandsOverAllThatAnOwnerHas) {
    const Conversation mine{.id = {random_id()}, .title = "mine", .owner = local_owner()};
    const Conversation theirs{.id = {random_id()}, .title = "theirs", .owner = {"b"}};
    ASSERT_TRUE(store_->create_conversation(mine));
    ASSERT_TRUE(store_->create_conversation(theirs));
    ASSERT_TRUE(store_->allow_tool(local_owner(), "web"));
    ASSERT_TRUE(store_->allow_tool({"a"}, "web"));
    ASSERT_TRUE(accounts_.hand_over(local_owner(), {"a"}));
    EXPECT_TRUE(store_->list_conversations(local_owner(), 10)->empty());
    EXPECT_EQ(store_->list_conversations({"a"}, 10)->front().id, mine.id);
    EXPECT_EQ(store_->allowed_tools({"a"})->size(), 1u);
    EXPECT_TRUE(store_->allowed_tools(local_owner())->empty());
    EXPECT_EQ(store_->list_conversations({"b"}, 10)->size(), 1u);
}

TEST_F(SqliteAccountsTest, AllOfAnOwnerIsDeletedAndNothingElse) {
    const Conversation one{.id = {random_id()}, .title = "1", .owner = {"a"}};
    const Conversation two{.id = {random_id()}, .title = "2", .owner = {"a"}};
    const Conversation kept{.id = {random_id()}, .title = "3", .owner = {"b"}};
    for (const Conversation& conversation : {one, two, kept})
        ASSERT_TRUE(store_->create_conversation(conversation));
    ASSERT_TRUE(store_->trash_conversation(two.key(), 1));
    ASSERT_TRUE(store_->delete_all_of({"a"}));
    EXPECT_TRUE(store_->list_conversations({"a"}, 10)->empty());
    EXPECT_TRUE(store_->trashed_conversations()->empty());
    EXPECT_EQ(store_->list_conversations({"b"}, 10)->size(), 1u);
}

TEST(AccountName, IsShortAndPlain) {
    EXPECT_EQ(account_name("Anna.B-2_c@example"), "anna.b-2_c@example");
    EXPECT_TRUE(account_name(std::string(64, 'a')));
    for (const std::string& bad : {std::string(),
                                   std::string(65, 'a'),
                                   std::string("a b"),
                                   std::string("ä"),
                                   std::string("a\0b", 3),
                                   std::string("../x")})
        EXPECT_EQ(account_name(bad).error().code, ErrorCode::kInvalidArgument) << bad;
}

}  // namespace
}  // namespace notso::services

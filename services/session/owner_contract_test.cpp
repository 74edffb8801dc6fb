// What one owner has is nothing to another: the part of SessionStore's contract that keeps people
// apart, on both stores.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/random.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

const OwnerId kAnna{"anna"};
const OwnerId kBert{"bert"};

struct StoreKind {
    const char* name;
    std::function<std::unique_ptr<SessionStore>(const std::filesystem::path& folder)> make;
};

class OwnerContract : public testing::TestWithParam<StoreKind> {
  protected:
    OwnerContract() {
        EXPECT_TRUE(store_->create_conversation(hers_));
        EXPECT_TRUE(store_->append_messages(kAnna, {message_}));
        EXPECT_TRUE(store_->add_note(hers_.key(), "note"));
    }

    /// Everything of hers is as it was.
    void expect_untouched() {
        EXPECT_EQ(store_->conversation(hers_.key())->title, "secret plan");
        EXPECT_EQ(store_->conversation(hers_.key())->leaf, message_.id);
        EXPECT_EQ(store_->messages(hers_.key())->size(), 1u);
        EXPECT_EQ(store_->notes(hers_.key())->size(), 1u);
    }

    const TempDirectory temp_;
    std::unique_ptr<SessionStore> store_ = GetParam().make(temp_.path());
    const Conversation hers_{.id = {random_id()}, .title = "secret plan", .owner = kAnna};
    const Message message_{
        .id = {random_id()}, .conversation = hers_.id, .text = "secret", .client_id = "c"};
    /// Her conversation, as he would ask for it.
    const ConversationKey his_{kBert, hers_.id};
};

template <class T>
bool not_found(const Result<T>& result) {
    return !result && result.error().code == ErrorCode::kNotFound;
}

TEST_P(OwnerContract, NobodyElseReadsIt) {
    EXPECT_TRUE(not_found(store_->conversation(his_)));
    EXPECT_TRUE(not_found(store_->messages(his_)));
    EXPECT_TRUE(not_found(store_->notes(his_)));
    EXPECT_EQ(*store_->find_by_client_id(his_, "c"), std::nullopt);
    EXPECT_TRUE(store_->list_conversations(kBert, 10)->empty());
    for (const char* query : {"secret", "plan", "se"})
        EXPECT_TRUE(store_->search(kBert, query, 10)->empty()) << query;
    EXPECT_EQ(store_->search(kAnna, "secret", 10)->size(), 2u);
    EXPECT_EQ(store_->list_conversations(kAnna, 10)->front().owner, kAnna);
}

TEST_P(OwnerContract, NobodyElseChangesIt) {
    Conversation stolen = hers_;
    stolen.owner = kBert;
    stolen.title = "his";
    EXPECT_TRUE(not_found(store_->update_conversation(stolen)));
    EXPECT_FALSE(store_->create_conversation(stolen)) << "an id is taken, whoever has it";
    EXPECT_TRUE(not_found(store_->append_messages(
        kBert, {{.id = {random_id()}, .conversation = hers_.id, .text = "his"}})));
    EXPECT_TRUE(not_found(store_->delete_messages(his_, {message_.id})));
    EXPECT_TRUE(not_found(store_->add_note(his_, "his")));
    EXPECT_TRUE(not_found(store_->remove_note(his_, 1)));
    EXPECT_TRUE(not_found(store_->clear_messages(his_)));
    EXPECT_TRUE(not_found(store_->trash_conversation(his_, 1)));
    EXPECT_TRUE(not_found(store_->delete_conversation(his_)));
    expect_untouched();
}

TEST_P(OwnerContract, NobodyElseDeletesAMessageByWayOfTheirOwnConversation) {
    const Conversation his{.id = {random_id()}, .title = "his", .owner = kBert};
    ASSERT_TRUE(store_->create_conversation(his));
    EXPECT_TRUE(not_found(store_->delete_messages(his.key(), {message_.id})));
    expect_untouched();
}

TEST_P(OwnerContract, TheTrashBelongsToWhoFilledIt) {
    ASSERT_TRUE(store_->trash_conversation(hers_.key(), 5));
    EXPECT_TRUE(not_found(store_->restore_conversation(his_)));
    EXPECT_TRUE(not_found(store_->delete_conversation(his_)));
    ASSERT_EQ(store_->trashed_conversations()->size(), 1u);
    EXPECT_EQ(store_->trashed_conversations()->front().key, hers_.key());
    ASSERT_TRUE(store_->restore_conversation(hers_.key()));
    expect_untouched();
}

TEST_P(OwnerContract, ToolsAreAllowedByEachForThemselves) {
    ASSERT_TRUE(store_->allow_tool(kAnna, "web"));
    EXPECT_TRUE(store_->allowed_tools(kBert)->empty());
    EXPECT_EQ(store_->disallow_tool(kBert, "web").error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(store_->allow_tool(kBert, "web"));
    ASSERT_TRUE(store_->allow_tool(kBert, "web"));
    ASSERT_TRUE(store_->allow_tool(kBert, "shell"));
    EXPECT_EQ(*store_->allowed_tools(kAnna), std::vector<std::string>{"web"});
    EXPECT_TRUE(store_->disallow_tool(kBert, "web"));
    EXPECT_EQ(store_->disallow_tool(kBert, "web").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(*store_->allowed_tools(kBert), std::vector<std::string>{"shell"});
    EXPECT_EQ(*store_->allowed_tools(kAnna), std::vector<std::string>{"web"});
}

TEST_P(OwnerContract, WhatSomebodyHasIsCounted) {
    EXPECT_EQ(*store_->stored_amount(kAnna), (StoredAmount{1, 6}));
    EXPECT_EQ(*store_->stored_amount(kBert), (StoredAmount{0, 0}));
    Message answer{.id = {random_id()},
                   .conversation = hers_.id,
                   .role = MessageRole::kAssistant,
                   .state = MessageState::kRunning,
                   .text = ""};
    ASSERT_TRUE(store_->append_messages(kAnna, {answer}));
    ASSERT_TRUE(store_->append_text(answer.id, {"hm", "é"}));
    answer.state = MessageState::kComplete;
    answer.thinking = "hm";
    answer.text = "éé";
    ASSERT_TRUE(store_->update_message(answer));
    EXPECT_EQ(store_->stored_amount(kAnna)->bytes, 12) << "bytes, not characters";
    ASSERT_TRUE(store_->delete_messages(hers_.key(), {message_.id}));
    EXPECT_EQ(store_->stored_amount(kAnna)->bytes, 6);
    ASSERT_TRUE(store_->trash_conversation(hers_.key(), 1));
    EXPECT_EQ(*store_->stored_amount(kAnna), (StoredAmount{1, 6})) << "it still takes its place";
    ASSERT_TRUE(store_->restore_conversation(hers_.key()));
    ASSERT_TRUE(store_->clear_messages(hers_.key()));
    EXPECT_EQ(*store_->stored_amount(kAnna), (StoredAmount{1, 0}));
    ASSERT_TRUE(store_->append_messages(kAnna, {message_}));
    ASSERT_TRUE(store_->delete_conversation(hers_.key()));
    EXPECT_EQ(*store_->stored_amount(kAnna), (StoredAmount{0, 0}));
}

TEST_P(OwnerContract, NothingBelongsToNobody) {
    const Conversation nobodys{.id = {random_id()}, .title = ""};
    const auto created = store_->create_conversation(nobodys);
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(not_found(store_->conversation({{}, hers_.id})));
}

TEST_P(OwnerContract, AnswersThatWereLeftRunningSayWhoseTheyAre) {
    const Message answer{.id = {random_id()},
                         .conversation = hers_.id,
                         .role = MessageRole::kAssistant,
                         .state = MessageState::kRunning,
                         .text = ""};
    ASSERT_TRUE(store_->append_messages(kAnna, {answer}));
    ASSERT_EQ(store_->running_messages()->size(), 1u);
    EXPECT_EQ(store_->running_messages()->front().owner, kAnna);
}

const StoreKind kStores[] = {
    {"Memory", [](const auto&) { return std::make_unique<MemoryStore>(); }},
    {"Sqlite",
     [](const auto& folder) { return std::move(*SqliteStore::open(folder / "test.db")); }},
};

INSTANTIATE_TEST_SUITE_P(Stores, OwnerContract, testing::ValuesIn(kStores), [](const auto& kind) {
    return std::string(kind.param.name);
});

}  // namespace
}  // namespace notso::services

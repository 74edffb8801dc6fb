#include "services/session/temporary_chats.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace notso::services {
namespace {

const OwnerId kOwner = local_owner();

class TemporaryChatsTest : public testing::Test {
  protected:
    Conversation add(bool temporary, UnixMs used = now_ms()) {
        const Conversation chat{.id = {random_id()},
                                .title = "walrus",
                                .updated_at = used,
                                .owner = kOwner,
                                .temporary = temporary};
        EXPECT_TRUE(store_.create_conversation(chat));
        return chat;
    }
    Message say(const Conversation& chat) {
        Message message{.id = {random_id()},
                        .conversation = chat.id,
                        .role = MessageRole::kAssistant,
                        .state = MessageState::kRunning,
                        .text = "walrus",
                        .client_id = random_id(),
                        .created_at = chat.updated_at};
        EXPECT_TRUE(store_.append_messages(kOwner, {message}));
        return message;
    }
    bool is_there(const Conversation& chat) { return store_.conversation(chat.key()).has_value(); }

    MemoryStore kept_;
    TemporaryChats store_{kept_};
};

TEST_F(TemporaryChatsTest, WorkAsOthersAndAreNowhereElse) {
    const Conversation chat = add(true);
    Message message = say(chat);
    ASSERT_TRUE(store_.append_text(message.id, {.text = " more"}));
    EXPECT_EQ(store_.messages(chat.key())->at(0).text, "walrus more");
    message.state = MessageState::kComplete;
    ASSERT_TRUE(store_.update_message(message));
    ASSERT_TRUE(store_.put_tool_uses(message.id, {{.id = "1", .name = "t", .arguments = "{}"}}));
    ASSERT_TRUE(store_.add_note(chat.key(), "note"));
    ASSERT_TRUE(store_.add_waiting({kOwner, chat.id, "w", "later", std::nullopt, 1}));
    EXPECT_EQ(store_.waiting_messages(chat.key())->size(), 1U);
    EXPECT_TRUE(store_.find_by_client_id(chat.key(), message.client_id)->has_value());
    EXPECT_EQ(store_.stored_amount(kOwner)->conversations, 1) << "a quota counts it";

    EXPECT_TRUE(store_.list_conversations(kOwner, 10)->empty());
    EXPECT_TRUE(store_.search(kOwner, "walrus", 10)->empty());
    EXPECT_TRUE(store_.running_messages()->empty());
    EXPECT_TRUE(store_.conversations_with_waiting()->empty());
    EXPECT_FALSE(kept_.conversation(chat.key()));
    EXPECT_EQ(kept_.stored_amount(kOwner)->conversations, 0);
    EXPECT_FALSE(store_.conversation({{"somebody else"}, chat.id}));
}

TEST_F(TemporaryChatsTest, OthersGoToTheStore) {
    const Conversation chat = add(false);
    const Message message = say(chat);
    EXPECT_TRUE(kept_.conversation(chat.key()));
    EXPECT_EQ(kept_.messages(chat.key())->size(), 1U);
    ASSERT_TRUE(store_.append_text(message.id, {.text = "!"}));
    EXPECT_EQ(kept_.messages(chat.key())->at(0).text, "walrus!");
    EXPECT_EQ(store_.list_conversations(kOwner, 10)->size(), 1U);
}

TEST_F(TemporaryChatsTest, DeletingTakesBothKinds) {
    const Conversation passing = add(true);
    const Conversation kept = add(false);
    const Message message = say(passing);
    for (const Conversation& chat : {passing, kept})
        ASSERT_TRUE(store_.trash_conversation(chat.key(), 5));
    EXPECT_FALSE(is_there(passing));
    EXPECT_EQ(store_.trashed_conversations()->size(), 2U);
    ASSERT_TRUE(store_.restore_conversation(passing.key()));
    EXPECT_TRUE(is_there(passing));
    ASSERT_TRUE(store_.trash_conversation(passing.key(), 6));
    ASSERT_TRUE(store_.delete_conversations({passing.key(), kept.key()}));
    EXPECT_TRUE(store_.trashed_conversations()->empty());
    EXPECT_FALSE(store_.restore_conversation(passing.key()));
    EXPECT_FALSE(store_.update_message(message)) << "its messages are gone, too";
}

TEST_F(TemporaryChatsTest, UnusedOnesAndTheOldestOfManyGo) {
    const Conversation unused = add(true, now_ms() - TemporaryChats::kUnusedMs - 1);
    const Conversation oldest = add(true, now_ms() - 5000);
    EXPECT_FALSE(is_there(unused)) << "the next one that is made takes it away";
    for (std::size_t i = 1; i < TemporaryChats::kMaxOfOwner; ++i) add(true);
    EXPECT_TRUE(is_there(oldest));
    add(true);
    EXPECT_FALSE(is_there(oldest));
    const Conversation other{.id = {random_id()}, .title = "", .owner = {"b"}, .temporary = true};
    ASSERT_TRUE(store_.create_conversation(other));
    EXPECT_EQ(store_.stored_amount(kOwner)->conversations,
              static_cast<std::int64_t>(TemporaryChats::kMaxOfOwner));
}

}  // namespace
}  // namespace notso::services

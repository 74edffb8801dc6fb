#include "services/chat/fork.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"
#include "services/session/temporary_chats.hpp"

namespace notso::services {
namespace {

const OwnerId kOwner = local_owner();

class ForkTest : public testing::Test {
  protected:
    Message say(const Conversation& chat, const char* text, std::optional<MessageId> parent = {}) {
        Message message{.id = {random_id()},
                        .conversation = chat.id,
                        .parent = std::move(parent),
                        .role = parent ? MessageRole::kAssistant : MessageRole::kUser,
                        .text = text};
        EXPECT_TRUE(store_.append_messages(kOwner, {message}));
        return message;
    }
    Conversation add(bool temporary = false) {
        Conversation chat{.id = {random_id()},
                          .title = "title",
                          .pinned = true,
                          .owner = kOwner,
                          .temporary = temporary};
        EXPECT_TRUE(store_.create_conversation(chat));
        return chat;
    }
    std::vector<std::string> texts(const Conversation& chat) {
        std::vector<std::string> found;
        const auto all = store_.messages(chat.key());
        for (const Message& message : *all) found.push_back(message.text);
        return found;
    }

    const TempDirectory temp_;
    std::unique_ptr<SqliteStore> kept_ = *SqliteStore::open(temp_.path() / "a.db");
    TemporaryChats store_{*kept_};
};

TEST_F(ForkTest, HasThePathUpToAMessageAndChangesNothing) {
    const Conversation chat = add();
    const Message question = say(chat, "question");
    const Message answer = say(chat, "answer", question.id);
    say(chat, "another answer", question.id);
    say(chat, "later", answer.id);
    ASSERT_TRUE(store_.put_summary(chat.key(), {answer.id, "summary", 1, 2}));
    ASSERT_TRUE(store_.add_note(chat.key(), "note"));
    const auto before = *store_.messages(chat.key());

    const auto forked = fork_conversation(store_, chat.key(), answer.id);
    ASSERT_TRUE(forked) << forked.error().detail;
    EXPECT_NE(forked->id, chat.id);
    EXPECT_FALSE(forked->pinned);
    EXPECT_EQ(texts(*forked), (std::vector<std::string>{"question", "answer"}));
    const auto made = *store_.messages(forked->key());
    EXPECT_EQ(made[1].parent, made[0].id);
    EXPECT_NE(made[0].id, question.id);
    EXPECT_EQ(store_.conversation(forked->key())->leaf, made[1].id);
    EXPECT_EQ(store_.summaries(forked->key())->at(0).until, made[1].id);
    EXPECT_EQ(store_.notes(forked->key())->at(0).text, "note");
    EXPECT_EQ(store_.messages(chat.key())->size(), before.size());
    ASSERT_TRUE(store_.delete_conversation(chat.key()));
    EXPECT_EQ(texts(*forked).size(), 2U) << "each is on its own";
}

TEST_F(ForkTest, NeedsAMessageOfTheOwnersConversation) {
    const Conversation chat = add();
    const Message question = say(chat, "question");
    const auto code_of = [&](const ConversationKey& key, const MessageId& id) {
        const auto forked = fork_conversation(store_, key, id);
        return forked ? ErrorCode::kInternal : forked.error().code;
    };
    EXPECT_EQ(code_of(chat.key(), {"nothing"}), ErrorCode::kNotFound);
    EXPECT_EQ(code_of({{"somebody"}, chat.id}, question.id), ErrorCode::kNotFound);
    EXPECT_EQ(store_.list_conversations(kOwner, 9)->size(), 1U);
}

TEST_F(ForkTest, ATemporaryOneStaysTemporary) {
    const Conversation chat = add(true);
    const Message question = say(chat, "question");
    const auto forked = fork_conversation(store_, chat.key(), question.id);
    ASSERT_TRUE(forked) << forked.error().detail;
    EXPECT_EQ(texts(*forked), std::vector<std::string>{"question"});
    EXPECT_EQ(kept_->stored_amount(kOwner)->conversations, 0);
    Message changed = store_.messages(forked->key())->at(0);
    EXPECT_TRUE(store_.append_text(changed.id, {.text = "!"})) << "its messages are known";
}

TEST_F(ForkTest, HasCopiesOfFiles) {
    const Conversation chat = add();
    AttachedFile file;
    file.id = {random_id()};
    file.name = "a.txt";
    file.media_type = "text/plain";
    file.sha256 = std::string(64, 'a');
    file.bytes = file.text_bytes = 5;
    file.text_is_file = true;
    ASSERT_TRUE(store_.begin_attachment(chat.key(), file));
    ASSERT_TRUE(store_.append_attachment(file.id, AttachmentPart::kFile, "bytes"));
    ASSERT_TRUE(store_.finish_attachment(file.id));
    Message message{.id = {random_id()}, .conversation = chat.id, .text = "look"};
    message.files = {file};
    ASSERT_TRUE(store_.append_messages(kOwner, {message}));

    const auto forked = fork_conversation(store_, chat.key(), message.id);
    ASSERT_TRUE(forked) << forked.error().detail;
    ASSERT_TRUE(store_.delete_conversation(chat.key()));
    const auto files = store_.messages(forked->key())->at(0).files;
    ASSERT_EQ(files.size(), 1U);
    EXPECT_EQ(files[0].name, "a.txt");
    EXPECT_NE(files[0].id, file.id);
    EXPECT_EQ(*store_.read_attachment(files[0], AttachmentPart::kFile, 0, 9), "bytes");
    EXPECT_TRUE(store_.composer_files({kOwner, {}})->empty());
}

}  // namespace
}  // namespace notso::services

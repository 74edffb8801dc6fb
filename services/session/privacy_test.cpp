// What was deleted is found in no byte of the data directory: database, index, log, lock, whatever
// lies there.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/random.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

const OwnerId kOwner = local_owner();
constexpr std::string_view kSecret = "XQZ-SECRET";

class PrivacyTest : public testing::Test {
  protected:
    /// Files of the directory that have the secret, upper or lower case.
    std::vector<std::string> traces() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
            if (!entry.is_regular_file()) continue;
            std::ifstream file(entry.path(), std::ios::binary);
            std::string bytes{std::istreambuf_iterator<char>(file), {}};
            std::ranges::transform(bytes, bytes.begin(), [](char byte) {
                return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : byte;
            });
            if (bytes.contains(kSecret)) found.push_back(entry.path().filename().string());
        }
        return found;
    }
    Conversation add(std::string title = "t") {
        const Conversation conversation{
            .id = {random_id()}, .title = std::move(title), .owner = kOwner};
        EXPECT_TRUE(store_->create_conversation(conversation));
        return conversation;
    }
    Message say(const Conversation& conversation, std::string text) {
        const Message message{
            .id = {random_id()}, .conversation = conversation.id, .text = std::move(text)};
        EXPECT_TRUE(store_->append_messages(kOwner, {message}));
        return message;
    }
    /// In a composer, its bytes and its text in several pieces.
    AttachedFile attach(const ConversationKey& composer) {
        const std::string bytes = secret("BYTES") + std::string(300'000, 'x') + secret("END");
        const std::string text = secret("FILE-TEXT");
        const AttachedFile file{.id = {random_id()},
                                .name = secret("NAME"),
                                .media_type = "text/plain",
                                .bytes = 2 * std::ssize(bytes),
                                .sha256 = {},
                                .text_bytes = std::ssize(text)};
        EXPECT_TRUE(store_->begin_attachment(composer, file));
        for (int i = 0; i < 2; ++i)
            EXPECT_TRUE(store_->append_attachment(file.id, AttachmentPart::kFile, bytes));
        EXPECT_TRUE(store_->append_attachment(file.id, AttachmentPart::kText, text));
        EXPECT_TRUE(store_->finish_attachment(file.id));
        return file;
    }
    static std::string secret(std::string_view where) {
        return fmt::format("{}-{}", kSecret, where);
    }

    const TempDirectory temp_;
    const DataDirectory directory_ = *DataDirectory::open(temp_.path() / "data");
    std::unique_ptr<SqliteStore> store_ = *directory_.open_store();
};

using Names = std::vector<std::string>;

TEST_F(PrivacyTest, OfADeletedMessage) {
    const Conversation conversation = add();
    const Message kept = say(conversation, "kept");
    Message message = say(conversation, secret("TEXT"));
    message.text = secret("ANOTHER-TEXT");
    message.thinking = secret("THOUGHT");
    message.error = secret("ERROR");
    ASSERT_TRUE(store_->update_message(message));
    ASSERT_TRUE(store_->append_text(message.id, {secret("PIECE"), secret("PIECE")}));
    ASSERT_TRUE(store_->put_tool_uses(message.id,
                                      {{.id = "1",
                                        .name = "tool",
                                        .arguments = secret("ARGUMENTS"),
                                        .output = secret("OUTPUT")}}));
    ASSERT_TRUE(store_->put_summary(conversation.key(), {kept.id, secret("SUMMARY"), 0, 1}));
    ASSERT_FALSE(traces().empty());
    ASSERT_TRUE(store_->delete_messages(conversation.key(), {message.id}));
    EXPECT_EQ(traces(), Names());
    EXPECT_EQ(store_->messages(conversation.key())->size(), 1U);
}

TEST_F(PrivacyTest, OfADeletedConversation) {
    const Conversation conversation = add(secret("TITLE"));
    Conversation changed = conversation;
    changed.title = secret("ANOTHER-TITLE");
    changed.settings.system_prompt = secret("SYSTEM");
    ASSERT_TRUE(store_->update_conversation(changed));
    const Message message = say(conversation, secret("TEXT"));
    ASSERT_TRUE(store_->put_summary(conversation.key(), {message.id, secret("SUMMARY"), 0, 1}));
    ASSERT_TRUE(store_->add_note(conversation.key(), secret("NOTE")));
    ASSERT_TRUE(store_->trash_conversation(conversation.key(), 1));
    ASSERT_FALSE(traces().empty());
    ASSERT_TRUE(store_->delete_conversations({conversation.key()}));
    EXPECT_EQ(traces(), Names());
}

TEST_F(PrivacyTest, OfClearedMessagesAndRemovedNotes) {
    const Conversation conversation = add();
    const Message message = say(conversation, secret("TEXT"));
    ASSERT_TRUE(store_->put_summary(conversation.key(), {message.id, secret("SUMMARY"), 0, 1}));
    const auto note = store_->add_note(conversation.key(), secret("NOTE"));
    ASSERT_TRUE(note && store_->remove_note(conversation.key(), note->number));
    ASSERT_TRUE(store_->clear_messages(conversation.key()));
    EXPECT_EQ(traces(), Names());
}

TEST_F(PrivacyTest, OfFilesHoweverTheyGo) {
    const Conversation conversation = add();
    const auto send = [&] {
        const Message message{.id = {random_id()},
                              .conversation = conversation.id,
                              .text = "t",
                              .files = {attach(conversation.key())}};
        EXPECT_TRUE(store_->append_messages(kOwner, {message}));
        EXPECT_FALSE(traces().empty());
        return message.id;
    };
    ASSERT_TRUE(store_->delete_messages(conversation.key(), {send()}));
    EXPECT_EQ(traces(), Names()) << "with its message";
    send();
    ASSERT_TRUE(store_->clear_messages(conversation.key()));
    EXPECT_EQ(traces(), Names()) << "with all messages";
    ASSERT_TRUE(store_->remove_attachment(conversation.key(), attach(conversation.key()).id));
    EXPECT_EQ(traces(), Names()) << "out of the composer";
    attach({kOwner, {}});
    ASSERT_EQ(*store_->remove_unsent(now_ms(), now_ms()), 1);
    EXPECT_EQ(traces(), Names()) << "never sent";
    send();
    attach(conversation.key());
    ASSERT_TRUE(store_->delete_conversation(conversation.key()));
    EXPECT_EQ(traces(), Names()) << "with its conversation";
    attach({kOwner, {}});
    ASSERT_TRUE(store_->delete_all_of(kOwner));
    EXPECT_EQ(traces(), Names()) << "with its owner";
}

TEST_F(PrivacyTest, StillAfterTheStoreIsClosed) {
    const Conversation conversation = add();
    say(conversation, secret("TEXT"));
    ASSERT_TRUE(store_->delete_conversation(conversation.key()));
    store_.reset();
    EXPECT_EQ(traces(), Names());
}

}  // namespace
}  // namespace notso::services

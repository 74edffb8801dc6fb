// What is special to the database: reopening, layouts, damage, full disk, locks, deleted bytes.
#include "services/session/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/random.hpp"
#include "services/session/sqlite_schema.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

/// Undoes what later layouts brought.
const OwnerId kOwner = local_owner();

constexpr const char* kBackToLayout2 =
    "DROP TRIGGER message_added; DROP TRIGGER message_removed; DROP TRIGGER message_unfinished;"
    "DROP TRIGGER message_finished; DROP TABLE message_index; DROP INDEX conversation_by_place;"
    "DROP INDEX conversation_archived; ALTER TABLE conversation DROP COLUMN archived;"
    "ALTER TABLE conversation DROP COLUMN thinking_budget;"
    "ALTER TABLE conversation DROP COLUMN pinned;"
    "ALTER TABLE conversation DROP COLUMN trashed_at;"
    "CREATE INDEX conversation_by_use ON conversation (updated_at DESC, seq DESC);"
    "ALTER TABLE message DROP COLUMN draft_tokens;"
    "ALTER TABLE message DROP COLUMN accepted_tokens;"
    "ALTER TABLE message DROP COLUMN thinking_end;"
    "ALTER TABLE message DROP COLUMN model;"
    "DROP INDEX message_by_parent; ALTER TABLE conversation DROP COLUMN leaf;"
    "DROP TRIGGER message_weighed; DROP TRIGGER message_weighed_again; DROP TRIGGER "
    "message_weighs_nothing; DROP INDEX conversation_by_size; ALTER TABLE conversation DROP COLUMN "
    "bytes;"
    "DROP TABLE login; DROP TABLE account; ALTER TABLE conversation DROP COLUMN owner;"
    "DROP TABLE tool_use; DROP TABLE allowed_tool; DROP TABLE note; DROP TABLE summary;"
    "DROP TABLE waiting_attachment; DROP TABLE message_attachment; DROP TABLE attachment_piece; "
    "DROP TABLE attachment;"
    "DROP TABLE waiting_message; DROP TABLE answer_journal; ALTER TABLE answer_piece DROP COLUMN "
    "tokens;"
    "ALTER TABLE conversation DROP COLUMN top_p; ALTER TABLE conversation DROP COLUMN top_k;"
    "ALTER TABLE conversation DROP COLUMN min_p; ALTER TABLE conversation DROP COLUMN max_tokens;"
    "ALTER TABLE conversation DROP COLUMN repeat_penalty;"
    "ALTER TABLE conversation DROP COLUMN context_size; DROP TABLE preset; DROP TABLE "
    "owner_settings;"
    "PRAGMA user_version = 2;";

class SqliteStoreTest : public testing::Test {
  protected:
    std::unique_ptr<SqliteStore> open(SqliteOptions options = {}) {
        auto store = SqliteStore::open(path_, options);
        EXPECT_TRUE(store) << store.error().detail;
        return std::move(*store);
    }
    static Conversation add_conversation(SessionStore& store) {
        const Conversation conversation{.id = {random_id()}, .title = "t", .owner = kOwner};
        EXPECT_TRUE(store.create_conversation(conversation));
        return conversation;
    }
    static Message message_of(const Conversation& conversation, std::string text) {
        return {.id = {random_id()}, .conversation = conversation.id, .text = std::move(text)};
    }
    static std::string read(const std::filesystem::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    const TempDirectory temp_;
    const std::filesystem::path path_ = temp_.path() / "notso.db";
};

TEST_F(SqliteStoreTest, KeepsEverythingWhenReopened) {
    auto store = open();
    const Conversation conversation = add_conversation(*store);
    Message answer = message_of(conversation, "");
    answer.state = MessageState::kRunning;
    ASSERT_TRUE(store->append_messages(kOwner, {message_of(conversation, "question"), answer}));
    ASSERT_TRUE(store->append_text(answer.id, {"", "half an"}));
    store = nullptr;
    store = open();
    const auto messages = *store->messages(conversation.key());
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0].text, "question");
    EXPECT_EQ(messages[1].text, "half an");
    EXPECT_EQ(messages[1].state, MessageState::kRunning);
    EXPECT_TRUE(store->check_integrity());
}

TEST_F(SqliteStoreTest, SyncsWritesAgainAfterEveryPiece) {
    auto store = open();
    EXPECT_EQ(store->syncs_writes(), true);
    const Conversation conversation = add_conversation(*store);
    Message answer = message_of(conversation, "");
    answer.state = MessageState::kRunning;
    ASSERT_TRUE(store->append_messages(kOwner, {answer}));
    ASSERT_TRUE(store->append_text(answer.id, {"", "piece"}));
    EXPECT_EQ(store->syncs_writes(), true);
    ASSERT_FALSE(store->append_text({"unknown"}, {"", "piece"}));
    EXPECT_EQ(store->syncs_writes(), true);
}

TEST_F(SqliteStoreTest, RefusesALayoutFromTheFuture) {
    open();
    ASSERT_TRUE((*sqlite::Database::open(path_))->execute("PRAGMA user_version = 999"));
    const auto store = SqliteStore::open(path_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(store.error().detail.find("999"), std::string::npos);
    EXPECT_NE(store.error().detail.find(path_.string()), std::string::npos);
}

TEST_F(SqliteStoreTest, RefusesTheDatabaseOfAnotherProgram) {
    ASSERT_TRUE((*sqlite::Database::open(path_))->execute("CREATE TABLE conversation (x)"));
    const auto store = SqliteStore::open(path_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorruptData);
}

TEST_F(SqliteStoreTest, WritesTheNewestLayoutWithStrictTables) {
    open();
    const auto database = *sqlite::Database::open(path_);
    EXPECT_EQ(*database->query_integer("PRAGMA user_version"), newest_schema_version());
    EXPECT_EQ(
        *database->query_integer("SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND "
                                 "name NOT LIKE 'sqlite_%' AND NOT strict"),
        0);
    EXPECT_EQ(*database->query_text("PRAGMA journal_mode"), "wal");
}

TEST_F(SqliteStoreTest, AnOlderLayoutIsBroughtUpWithItsMessages) {
    Conversation conversation;
    {
        const auto store = open();
        conversation = add_conversation(*store);
        ASSERT_TRUE(store->append_messages(kOwner, {message_of(conversation, "old")}));
    }
    ASSERT_TRUE((*sqlite::Database::open(path_))->execute(kBackToLayout2));
    const auto store = open();
    const auto messages = store->messages(conversation.key());
    ASSERT_TRUE(messages) << messages.error().detail;
    ASSERT_EQ(messages->size(), 1U);
    EXPECT_EQ(messages->front().text, "old");
    EXPECT_EQ(messages->front().stats.draft_tokens, 0);
    ASSERT_EQ(store->search(kOwner, "OLD", 10)->size(), 1U) << "what was there already is found";
}

TEST_F(SqliteStoreTest, AnOlderLayoutIsBroughtForwardWithItsContent) {
    Conversation old;
    {
        open();
        old = add_conversation(*SqliteStore::open(path_).value());
    }
    {
        const auto database = *sqlite::Database::open(path_);
        ASSERT_TRUE(database->execute(
            std::string(kBackToLayout2) +
            "ALTER TABLE conversation DROP COLUMN model; PRAGMA user_version = 1"));
    }
    const auto store = SqliteStore::open(path_);
    ASSERT_TRUE(store) << store.error().detail;
    const auto kept = (*store)->conversation(old.key());
    ASSERT_TRUE(kept) << kept.error().detail;
    EXPECT_EQ(kept->title, old.title);
    EXPECT_EQ(kept->model, "");
}

TEST_F(SqliteStoreTest, NamesADamagedFile) {
    std::ofstream(path_, std::ios::binary) << std::string(8192, 'x');
    const auto garbage = SqliteStore::open(path_);
    ASSERT_FALSE(garbage);
    EXPECT_EQ(garbage.error().code, ErrorCode::kCorruptData);
    EXPECT_NE(garbage.error().detail.find(path_.string()), std::string::npos);
}

TEST_F(SqliteStoreTest, DamageInsideGivesAnErrorNotACrash) {
    Conversation conversation;
    {
        auto store = open();
        conversation = add_conversation(*store);
        for (int i = 0; i < 20; ++i) {
            ASSERT_TRUE(
                store->append_messages(kOwner, {message_of(conversation, std::string(2000, 'a'))}));
        }
    }
    std::string bytes = read(path_);
    for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    std::ofstream(path_, std::ios::binary) << bytes;
    const auto store = SqliteStore::open(path_);
    const auto messages =
        store ? (*store)->messages(conversation.key()) : std::unexpected(store.error());
    ASSERT_FALSE(messages);
    EXPECT_EQ(messages.error().code, ErrorCode::kCorruptData) << messages.error().detail;
}

TEST_F(SqliteStoreTest, AFullDiskLosesNothingAndHeals) {
    auto store = open({.max_bytes = 400'000});
    const Conversation conversation = add_conversation(*store);
    const Conversation other = add_conversation(*store);
    std::size_t stored = 0;
    Result<> last;
    while (last && stored < 1000) {
        last = store->append_messages(kOwner,
                                      {message_of(conversation, std::string(5000, 'q')),
                                       message_of(conversation, std::string(5000, 'a'))});
        if (last) stored += 2;
    }
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code, ErrorCode::kIo);
    EXPECT_NE(last.error().detail.find("full"), std::string::npos) << last.error().detail;
    EXPECT_EQ(store->messages(conversation.key())->size(), stored)
        << "a refused pair left nothing behind";
    ASSERT_TRUE(store->clear_messages(conversation.key()));
    EXPECT_TRUE(store->append_messages(kOwner, {message_of(other, std::string(5000, 'b'))}));
    EXPECT_TRUE(store->check_integrity());
}

TEST_F(SqliteStoreTest, ALockedDatabaseIsBusyAndHeals) {
    auto store = open();
    const Conversation conversation = add_conversation(*store);
    const auto other = *sqlite::Database::open(path_);
    ASSERT_TRUE(other->execute("BEGIN IMMEDIATE"));
    const Result<> refused = store->append_messages(kOwner, {message_of(conversation, "x")});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
    ASSERT_TRUE(other->execute("ROLLBACK"));
    EXPECT_TRUE(store->append_messages(kOwner, {message_of(conversation, "x")}));
}

TEST_F(SqliteStoreTest, AReadOnlyDatabaseIsDenied) {
    open();
    const auto database = *sqlite::Database::open(path_);
    ASSERT_TRUE(database->execute("PRAGMA query_only = ON"));
    const Result<> refused = database->execute("DELETE FROM conversation");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
}

TEST_F(SqliteStoreTest, DeletedWordsAreGoneFromTheDisk) {
    auto store = open();
    const Conversation kept = add_conversation(*store);
    const Conversation removed = add_conversation(*store);
    Message answer = message_of(removed, "");
    answer.state = MessageState::kRunning;
    ASSERT_TRUE(store->append_messages(
        kOwner, {message_of(kept, "KEEPSAKE"), message_of(removed, "SECRET-QUESTION"), answer}));
    ASSERT_TRUE(store->append_text(answer.id, {"SECRET-THOUGHT", "SECRET-PIECE"}));
    ASSERT_NE(read(temp_.path() / "notso.db-wal").find("SECRET-THOUGHT"), std::string::npos);
    ASSERT_TRUE(store->delete_conversation(removed.key()));
    const std::string bytes = read(path_) + read(temp_.path() / "notso.db-wal");
    EXPECT_EQ(bytes.find("SECRET"), std::string::npos);
    EXPECT_NE(bytes.find("KEEPSAKE"), std::string::npos);
}

// The index has the words in lower case, cut into runs of three characters, which share beginnings.
TEST_F(SqliteStoreTest, DeletedWordsAreGoneFromTheIndex) {
    constexpr std::string_view kWord = "\xC3\xBE\xC3\xBE\xC3\xBE";  // one run, stored as it is
    const auto bytes = [this] { return read(path_) + read(temp_.path() / "notso.db-wal"); };
    auto store = open();
    const Conversation kept = add_conversation(*store);
    const Conversation removed = add_conversation(*store);
    const Message message = message_of(removed, std::string(kWord));
    const auto add_and_index = [&] {
        ASSERT_TRUE(store->append_messages(kOwner, {message}));
        for (int i = 0; i < 40; ++i)
            ASSERT_TRUE(
                store->append_messages(kOwner, {message_of(kept, fmt::format("keep {}", i))}));
        const std::string stored = bytes();
        ASSERT_NE(stored.find(kWord), stored.rfind(kWord)) << "message and index";
    };
    add_and_index();
    ASSERT_TRUE(store->delete_messages(removed.key(), {message.id}));
    EXPECT_EQ(bytes().find(kWord), std::string::npos);
    add_and_index();
    ASSERT_TRUE(store->clear_messages(removed.key()));
    EXPECT_EQ(bytes().find(kWord), std::string::npos);
    add_and_index();
    ASSERT_TRUE(store->trash_conversation(removed.key(), 1));
    ASSERT_TRUE(store->delete_conversation(removed.key()));
    EXPECT_EQ(bytes().find(kWord), std::string::npos);
    const Conversation again = add_conversation(*store);
    ASSERT_TRUE(store->append_messages(kOwner, {message_of(again, std::string(kWord))}));
    ASSERT_TRUE(store->delete_conversations({again.key(), add_conversation(*store).key()}));
    EXPECT_EQ(bytes().find(kWord), std::string::npos);
    EXPECT_EQ(store->search(kOwner, "keep", 10)->size(), 1U);
    EXPECT_TRUE((*sqlite::Database::open(path_))
                    ->execute("INSERT INTO message_index (message_index, rank) "
                              "VALUES ('integrity-check', 1)"))
        << "index and messages agree";
}

TEST_F(SqliteStoreTest, AnswersAreIndexedAsTheyEnd) {
    auto store = open();
    const Conversation owner = add_conversation(*store);
    Message answer = message_of(owner, "");
    answer.state = MessageState::kRunning;
    ASSERT_TRUE(store->append_messages(kOwner, {answer}));
    ASSERT_TRUE(store->append_text(answer.id, {"", "half"}));
    for (const auto& [state, text] : {std::pair{MessageState::kRunning, "half and"},
                                      std::pair{MessageState::kStopped, "half and half"},
                                      std::pair{MessageState::kStopped, "another text"},
                                      std::pair{MessageState::kRunning, "another text again"},
                                      std::pair{MessageState::kComplete, "the last text"}}) {
        answer.state = state;
        answer.text = text;
        ASSERT_TRUE(store->update_message(answer));
        const bool ended = state != MessageState::kRunning;
        EXPECT_EQ(store->search(kOwner, text, 10)->size(), ended ? 1U : 0U) << text;
        EXPECT_TRUE((*sqlite::Database::open(path_))
                        ->execute("INSERT INTO message_index (message_index) "
                                  "VALUES ('integrity-check')"));
    }
    EXPECT_TRUE(store->search(kOwner, "half", 10)->empty());
}

}  // namespace
}  // namespace notso::services

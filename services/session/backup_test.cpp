// Backups made while the store is written to, and what restoring accepts and refuses.
#include <gtest/gtest.h>

#include <fstream>

#include "base/random.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/restore.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

class BackupTest : public testing::Test {
  protected:
    static Conversation add(SessionStore& store, std::size_t messages = 1) {
        const Conversation conversation{
            .id = {random_id()}, .title = "t", .updated_at = 1, .owner = local_owner()};
        EXPECT_TRUE(store.create_conversation(conversation));
        std::vector<Message> all;
        for (std::size_t i = 0; i < messages; ++i)
            all.push_back({.id = {random_id()},
                           .conversation = conversation.id,
                           .text = std::string(3000, 'x')});
        EXPECT_TRUE(store.append_messages(local_owner(), all));
        return conversation;
    }
    static Result<> finish(StoreBackup& backup) {
        for (;;) {
            NOTSO_TRY(const bool more, backup.step());
            if (!more) return {};
        }
    }
    /// Names of the files in a folder that begin so.
    static int count(const fs::path& folder, std::string_view begin) {
        int found = 0;
        for (const auto& entry : fs::directory_iterator(folder))
            if (entry.path().filename().string().starts_with(begin)) ++found;
        return found;
    }
    std::unique_ptr<SqliteStore> open() { return *SqliteStore::open(data_ / "notso.db"); }
    fs::path make_backup() {
        const auto store = open();
        add(*store);
        EXPECT_TRUE(finish(**store->begin_backup(file_)));
        return file_;
    }

    const TempDirectory temp_;
    const fs::path data_ = temp_.path() / "data";
    const fs::path file_ = temp_.path() / "backup.db";
    const bool made_ = fs::create_directory(data_);
};

TEST_F(BackupTest, HasWhatWasWrittenWhileItWasMade) {
    const auto store = open();
    const Conversation before = add(*store, 2000);  // several steps
    const auto backup = store->begin_backup(file_);
    ASSERT_TRUE(backup) << backup.error().detail;
    ASSERT_TRUE((*backup)->step());
    EXPECT_FALSE(fs::exists(file_)) << "not before it is whole";
    const Conversation meanwhile = add(*store);
    ASSERT_TRUE(finish(**backup));
    EXPECT_EQ(fs::status(file_).permissions() & fs::perms::others_all, fs::perms::none);
    EXPECT_EQ(count(temp_.path(), "backup.db"), 1) << "one file";
    const auto copy = SqliteStore::open(file_);
    ASSERT_TRUE(copy);
    EXPECT_EQ((*copy)->messages(before.key())->size(), 2000U);
    EXPECT_EQ((*copy)->messages(meanwhile.key())->size(), 1U);
    EXPECT_TRUE((*copy)->check_integrity());
}

TEST_F(BackupTest, OverwritesNothingAndLeavesNothingHalf) {
    const auto store = open();
    add(*store, 2000);
    std::ofstream(file_) << "mine";
    EXPECT_EQ(store->begin_backup(file_).error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(fs::file_size(file_), 4U);
    {
        const auto backup = store->begin_backup(temp_.path() / "other.db");
        ASSERT_TRUE(backup && (*backup)->step());
    }
    EXPECT_EQ(count(temp_.path(), "other.db"), 0);
    EXPECT_FALSE(store->begin_backup(temp_.path() / "nowhere" / "b.db"));
    EXPECT_EQ(MemoryStore().begin_backup(file_).error().code, ErrorCode::kUnsupported);
}

TEST_F(BackupTest, RestoringKeepsTheOldDatabase) {
    const fs::path file = make_backup();
    add(*open());
    ASSERT_EQ(open()->list_conversations(local_owner(), 10)->size(), 2U);
    const auto old = restore_backup(file, data_);
    ASSERT_TRUE(old) << old.error().detail;
    EXPECT_EQ(open()->list_conversations(local_owner(), 10)->size(), 1U);
    EXPECT_EQ((*SqliteStore::open(*old))->list_conversations(local_owner(), 10)->size(), 2U);
    EXPECT_TRUE(fs::exists(file));
    EXPECT_EQ(*restore_backup(file, temp_.path() / "new"), fs::path()) << "there was none";
}

TEST_F(BackupTest, RestoringIsRefusedWhileAServerRuns) {
    const fs::path file = make_backup();
    const auto held = DataDirectory::open(data_);
    ASSERT_TRUE(held);
    const auto refused = restore_backup(file, data_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
    EXPECT_TRUE(refused.error().detail.contains(std::to_string(::getpid())));
}

TEST_F(BackupTest, RestoringRefusesWhatIsNoBackup) {
    make_backup();
    const auto refuse = [&](const fs::path& file, ErrorCode code) {
        const auto refused = restore_backup(file, data_);
        ASSERT_FALSE(refused) << file;
        EXPECT_EQ(refused.error().code, code) << refused.error().detail;
        EXPECT_EQ(open()->list_conversations(local_owner(), 10)->size(), 1U)
            << "nothing was changed";
        EXPECT_EQ(count(data_, "notso.db.restoring"), 0);
    };
    refuse(temp_.path() / "missing", ErrorCode::kNotFound);
    refuse(temp_.path(), ErrorCode::kNotFound);
    const fs::path text = temp_.path() / "text";
    std::ofstream(text) << std::string(10'000, 'x');
    refuse(text, ErrorCode::kCorruptData);
    const fs::path empty = temp_.path() / "empty";
    std::ofstream(empty).flush();
    refuse(empty, ErrorCode::kCorruptData);
    const fs::path newer = temp_.path() / "newer";
    fs::copy_file(file_, newer);
    ASSERT_TRUE((*sqlite::Database::open(newer))->execute("PRAGMA user_version = 999"));
    refuse(newer, ErrorCode::kUnsupported);
    const fs::path cut = temp_.path() / "cut";
    fs::copy_file(file_, cut);
    fs::resize_file(cut, fs::file_size(cut) / 2);
    refuse(cut, ErrorCode::kCorruptData);
}

}  // namespace
}  // namespace notso::services

// What it takes to go on with an answer, and with the messages that wait for its end: this part of
// SessionStore's contract, on both stores.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/random.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

const OwnerId kOwner = local_owner();

struct StoreKind {
    const char* name;
    std::function<std::unique_ptr<SessionStore>(const std::filesystem::path& folder)> make;
};

class JournalContract : public testing::TestWithParam<StoreKind> {
  protected:
    JournalContract() { EXPECT_TRUE(store_->create_conversation(owner_)); }

    Message add_running() {
        Message answer{.id = {random_id()},
                       .conversation = owner_.id,
                       .role = MessageRole::kAssistant,
                       .state = MessageState::kRunning,
                       .text = ""};
        EXPECT_TRUE(store_->append_messages(kOwner, {answer}));
        return answer;
    }

    const Conversation owner_{.id = {random_id()}, .title = "title", .owner = kOwner};
    const TempDirectory temp_;
    std::unique_ptr<SessionStore> store_ = GetParam().make(temp_.path());
};

TEST_P(JournalContract, KeepsWhatItTakesToGoOnWithAnAnswer) {
    Message answer = add_running();
    const Message other = add_running();
    EXPECT_EQ(*store_->journal(answer.id), std::nullopt);
    EXPECT_EQ(store_->journal({"nobody"}).error().code, ErrorCode::kNotFound);

    AnswerJournal journal{.model = "small",
                          .thinking = true,
                          .seed = ~std::uint64_t{0} - 5,
                          .runs = 2,
                          .crashes = 1,
                          .round = 3,
                          .text_begin = 4,
                          .thinking_begin = 5,
                          .tokens_before = 6,
                          .reasoning_before = 7,
                          .tokens = {0, 1, 2'000'000'000}};
    answer.journal = journal;
    ASSERT_TRUE(store_->update_message(answer));
    const std::vector<std::int32_t> more = {7, 131'000};
    ASSERT_TRUE(store_->append_text(answer.id, {.text = "a", .tokens = more}));
    ASSERT_TRUE(store_->append_text(other.id, {.text = "b", .tokens = more}));
    ASSERT_TRUE(store_->append_text(answer.id, {.thinking = "c", .tokens = more}));
    journal.tokens = {0, 1, 2'000'000'000, 7, 131'000, 7, 131'000};
    EXPECT_EQ(*store_->journal(answer.id), journal);
    EXPECT_EQ(*store_->journal(other.id), std::nullopt);
    const auto running = *store_->running_messages();
    EXPECT_EQ(running.front().message.journal, journal);
    EXPECT_EQ(running.front().message.text, "a");
    EXPECT_EQ(store_->messages(owner_.key())->front().journal, std::nullopt);

    answer.state = MessageState::kStopped;
    journal.tokens = {5};
    answer.journal = journal;
    ASSERT_TRUE(store_->update_message(answer));
    EXPECT_EQ(*store_->journal(answer.id), journal) << "the pieces are in it";
    answer.journal.reset();
    ASSERT_TRUE(store_->update_message(answer));
    EXPECT_EQ(*store_->journal(answer.id), std::nullopt);
}

TEST_P(JournalContract, GoesWithItsMessage) {
    Message answer = add_running();
    answer.journal = AnswerJournal{.model = "small", .tokens = {1, 2}};
    ASSERT_TRUE(store_->update_message(answer));
    ASSERT_TRUE(store_->delete_messages(owner_.key(), {answer.id}));
    EXPECT_EQ(store_->journal(answer.id).error().code, ErrorCode::kNotFound);
    answer.journal.reset();
    ASSERT_TRUE(store_->append_messages(kOwner, {answer}));
    EXPECT_EQ(*store_->journal(answer.id), std::nullopt) << "nothing of it is left";
}

TEST_P(JournalContract, MessagesWaitInLine) {
    const Conversation other{.id = {random_id()}, .title = "other", .owner = kOwner};
    ASSERT_TRUE(store_->create_conversation(other));
    WaitingMessage first{kOwner, owner_.id, "a", "one \n 🙂", true, 7};
    const WaitingMessage second{kOwner, owner_.id, "b", "two", std::nullopt, 8};
    const WaitingMessage elsewhere{kOwner, other.id, "a", "three", false, 6};
    for (const auto& message : {first, second, elsewhere})
        EXPECT_TRUE(store_->add_waiting(message));
    EXPECT_EQ(store_->add_waiting(first).error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(*store_->waiting_messages(owner_.key()), (std::vector{first, second}));
    EXPECT_EQ(*store_->waiting_messages(other.key()), std::vector{elsewhere});
    EXPECT_EQ(store_->conversations_with_waiting()->size(), 2U);
    ASSERT_TRUE(store_->remove_waiting(owner_.key(), "a"));
    EXPECT_EQ(store_->remove_waiting(owner_.key(), "a").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(*store_->waiting_messages(owner_.key()), std::vector{second});
    ASSERT_TRUE(store_->trash_conversation(other.key(), 9));
    EXPECT_EQ(*store_->conversations_with_waiting(), std::vector{owner_.key()});
    ASSERT_TRUE(store_->clear_messages(owner_.key()));
    EXPECT_TRUE(store_->waiting_messages(owner_.key())->empty());
    EXPECT_EQ(store_->waiting_messages({kOwner, {"nobody"}}).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->waiting_messages({{"somebody"}, owner_.id}).error().code,
              ErrorCode::kNotFound);
    first.conversation = {"nobody"};
    EXPECT_EQ(store_->add_waiting(first).error().code, ErrorCode::kNotFound);
}

const StoreKind kStores[] = {
    {"Memory", [](const auto&) { return std::make_unique<MemoryStore>(); }},
    {"Sqlite",
     [](const auto& folder) { return std::move(*SqliteStore::open(folder / "test.db")); }},
};

INSTANTIATE_TEST_SUITE_P(Stores, JournalContract, testing::ValuesIn(kStores), [](const auto& kind) {
    return std::string(kind.param.name);
});

}  // namespace
}  // namespace notso::services

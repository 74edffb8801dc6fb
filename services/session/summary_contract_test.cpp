// Summaries: that part of SessionStore's contract, on both stores.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/random.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

using namespace std::string_literals;

struct StoreKind {
    const char* name;
    std::function<std::unique_ptr<SessionStore>(const std::filesystem::path& folder)> make;
};

const OwnerId kOwner = local_owner();

class SummaryContract : public testing::TestWithParam<StoreKind> {
  protected:
    Conversation add() {
        const Conversation conversation{
            .id = {random_id()}, .title = "t", .updated_at = 1, .owner = kOwner};
        EXPECT_TRUE(store_->create_conversation(conversation));
        return conversation;
    }
    Message say(const Conversation& conversation) {
        const Message message{.id = {random_id()}, .conversation = conversation.id, .text = "said"};
        EXPECT_TRUE(store_->append_messages(kOwner, {message}));
        return message;
    }
    std::vector<std::string> texts(const Conversation& conversation) {
        std::vector<std::string> texts;
        const auto summaries = store_->summaries(conversation.key());
        EXPECT_TRUE(summaries) << summaries.error().detail;
        for (const Summary& summary : *summaries) texts.push_back(summary.text);
        return texts;
    }

    const TempDirectory temp_;
    std::unique_ptr<SessionStore> store_ = GetParam().make(temp_.path());
};

using Texts = std::vector<std::string>;

TEST_P(SummaryContract, AreKeptInTheOrderOfTheirMessages) {
    const Conversation conversation = add();
    const Conversation other = add();
    const Message first = say(conversation);
    const Message second = say(conversation);
    const Message elsewhere = say(other);
    EXPECT_EQ(texts(conversation), Texts());
    ASSERT_TRUE(store_->put_summary(conversation.key(), {second.id, "both", 7, 20}));
    ASSERT_TRUE(store_->put_summary(conversation.key(), {first.id, "one\0 🙂"s, 5, 10}));
    ASSERT_TRUE(store_->put_summary(other.key(), {elsewhere.id, "elsewhere", 0, 1}));
    EXPECT_EQ(texts(conversation), (Texts{"one\0 🙂"s, "both"}));
    const auto kept = store_->summaries(conversation.key());
    EXPECT_EQ(kept->back().until, second.id);
    EXPECT_EQ(kept->back().prompt_tokens, 7);
    EXPECT_EQ(kept->back().created_at, 20);
    ASSERT_TRUE(store_->put_summary(conversation.key(), {second.id, "better", 6, 30}));
    EXPECT_EQ(texts(conversation), (Texts{"one\0 🙂"s, "better"})) << "in place of the old one";
    EXPECT_EQ(texts(other), Texts{"elsewhere"});
}

TEST_P(SummaryContract, GoWithAnyMessageOfTheirConversation) {
    const Conversation conversation = add();
    const Conversation other = add();
    const Message first = say(conversation);
    const Message second = say(conversation);
    const Message elsewhere = say(other);
    ASSERT_TRUE(
        store_->put_summary(conversation.key(), {second.id, "has words of the first", 0, 1}));
    ASSERT_TRUE(store_->put_summary(other.key(), {elsewhere.id, "elsewhere", 0, 1}));
    ASSERT_TRUE(store_->delete_messages(conversation.key(), {first.id}));
    EXPECT_EQ(texts(conversation), Texts());
    EXPECT_EQ(texts(other), Texts{"elsewhere"});
    ASSERT_TRUE(store_->put_summary(conversation.key(), {second.id, "again", 0, 1}));
    ASSERT_TRUE(store_->clear_messages(conversation.key()));
    EXPECT_EQ(texts(conversation), Texts());
}

TEST_P(SummaryContract, NeedTheirMessage) {
    const Conversation conversation = add();
    const Message message = say(conversation);
    EXPECT_EQ(store_->put_summary(conversation.key(), {{random_id()}, "x", 0, 1}).error().code,
              ErrorCode::kNotFound);
    EXPECT_EQ(store_->summaries({kOwner, {random_id()}}).error().code, ErrorCode::kNotFound);
    const ConversationKey foreign({"somebody"}, conversation.id);
    EXPECT_EQ(store_->put_summary(foreign, {message.id, "x", 0, 1}).error().code,
              ErrorCode::kNotFound);
    EXPECT_EQ(store_->put_summary(add().key(), {message.id, "x", 0, 1}).error().code,
              ErrorCode::kNotFound);
    EXPECT_EQ(store_->summaries(foreign).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(store_->trash_conversation(conversation.key(), 1));
    EXPECT_EQ(store_->put_summary(conversation.key(), {message.id, "x", 0, 1}).error().code,
              ErrorCode::kNotFound);
    EXPECT_EQ(store_->summaries(conversation.key()).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(store_->restore_conversation(conversation.key()));
    EXPECT_EQ(texts(conversation), Texts());
}

const StoreKind kStores[] = {
    {"Memory", [](const auto&) { return std::make_unique<MemoryStore>(); }},
    {"Sqlite",
     [](const auto& folder) { return std::move(*SqliteStore::open(folder / "test.db")); }},
};

INSTANTIATE_TEST_SUITE_P(Stores, SummaryContract, testing::ValuesIn(kStores), [](const auto& kind) {
    return std::string(kind.param.name);
});

}  // namespace
}  // namespace notso::services

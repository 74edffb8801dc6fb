// The contract of SessionStore, run on every implementation. A new store adds one factory to
// kStores.
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

const OwnerId kOwner = local_owner();

struct StoreKind {
    const char* name;
    std::function<std::unique_ptr<SessionStore>(const std::filesystem::path& folder)> make;
};

class SessionStoreContract : public testing::TestWithParam<StoreKind> {
  protected:
    Conversation add_conversation(UnixMs updated_at) {
        Conversation conversation{
            .id = {random_id()}, .title = "title", .updated_at = updated_at, .owner = kOwner};
        EXPECT_TRUE(store_->create_conversation(conversation));
        return conversation;
    }
    static Message message_of(const Conversation& conversation, std::string text) {
        return {.id = {random_id()}, .conversation = conversation.id, .text = std::move(text)};
    }

    const TempDirectory temp_;
    std::unique_ptr<SessionStore> store_ = GetParam().make(temp_.path());
};

void expect_equal(const Conversation& a, const Conversation& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.title, b.title);
    EXPECT_EQ(a.thinking, b.thinking);
    EXPECT_EQ(a.settings, b.settings);
    EXPECT_EQ(a.model, b.model);
    EXPECT_EQ(a.date, b.date);
    EXPECT_EQ(a.created_at, b.created_at);
    EXPECT_EQ(a.updated_at, b.updated_at);
    EXPECT_EQ(a.leaf, b.leaf);
}

void expect_equal(const Message& a, const Message& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.conversation, b.conversation);
    EXPECT_EQ(a.parent, b.parent);
    EXPECT_EQ(a.role, b.role);
    EXPECT_EQ(a.state, b.state);
    EXPECT_EQ(a.text, b.text);
    EXPECT_EQ(a.thinking, b.thinking);
    EXPECT_EQ(a.error, b.error);
    EXPECT_EQ(a.stats.prompt_tokens, b.stats.prompt_tokens);
    EXPECT_EQ(a.stats.cached_tokens, b.stats.cached_tokens);
    EXPECT_EQ(a.stats.completion_tokens, b.stats.completion_tokens);
    EXPECT_EQ(a.stats.reasoning_tokens, b.stats.reasoning_tokens);
    EXPECT_EQ(a.stats.draft_tokens, b.stats.draft_tokens);
    EXPECT_EQ(a.stats.accepted_tokens, b.stats.accepted_tokens);
    EXPECT_EQ(a.stats.first_token_ms, b.stats.first_token_ms);
    EXPECT_EQ(a.stats.tokens_per_second, b.stats.tokens_per_second);
    EXPECT_EQ(a.stats.thinking_ms, b.stats.thinking_ms);
    EXPECT_EQ(a.stats.thinking_end, b.stats.thinking_end);
    EXPECT_EQ(a.client_id, b.client_id);
    EXPECT_EQ(a.created_at, b.created_at);
}

template <class T>
ErrorCode code_of(const Result<T>& result) {
    EXPECT_FALSE(result) << "succeeded where an error was due";
    return result ? ErrorCode::kInternal : result.error().code;
}

TEST_P(SessionStoreContract, KeepsEveryFieldOfAConversation) {
    const Conversation first{.id = {random_id()},
                             .title = "naïve “title” \0 with NUL"s,
                             .thinking = true,
                             .date = "2026-11-23T09:00:00",
                             .created_at = 1,
                             .updated_at = 1'800'000'000'123,
                             .model = "SmolLM3-3B-Q4_K_M",
                             .owner = kOwner,
                             .settings = {.system_prompt = "be brief\n",
                                          .temperature = 0.1,
                                          .top_p = 0.2,
                                          .top_k = 3,
                                          .min_p = 0.4,
                                          .repeat_penalty = 1.5,
                                          .max_tokens = 600,
                                          .thinking_budget = 512,
                                          .context_size = 4096}};
    ASSERT_TRUE(store_->create_conversation(first));
    expect_equal(*store_->conversation(first.key()), first);

    Conversation changed = first;
    changed.title = "";
    changed.thinking = false;
    changed.settings = {.top_k = 0, .min_p = 0.0};
    changed.updated_at = 7;
    changed.model = "";
    ASSERT_TRUE(store_->update_conversation(changed));
    expect_equal(*store_->conversation(first.key()), changed);
}

TEST_P(SessionStoreContract, KeepsEveryFieldOfAMessage) {
    const Conversation owner = add_conversation(1);
    const Message first{.id = {random_id()},
                        .conversation = owner.id,
                        .role = MessageRole::kUser,
                        .state = MessageState::kComplete,
                        .text = "a\0b 🙂 \xEF\xBF\xBD\r\n\t'\";--"s,
                        .client_id = "c-1",
                        .created_at = 42};
    Message second{.id = {random_id()},
                   .conversation = owner.id,
                   .parent = first.id,
                   .role = MessageRole::kAssistant,
                   .state = MessageState::kRunning,
                   .text = "",
                   .created_at = 43};
    ASSERT_TRUE(store_->append_messages(kOwner, {first, second}));
    second.state = MessageState::kFailed;
    second.text = "x\0y"s;
    second.thinking = "\0"s;
    second.error = "no";
    second.stats = {1, 2, 3, 1LL << 40, 20, 15, 0.5, 60.25, 1e300};
    ASSERT_TRUE(store_->update_message(second));

    const auto stored = store_->messages(owner.key());
    ASSERT_TRUE(stored);
    ASSERT_EQ(stored->size(), 2u);
    expect_equal((*stored)[0], first);
    expect_equal((*stored)[1], second);
    EXPECT_EQ(store_->conversation(owner.key())->updated_at, 43);
}

TEST_P(SessionStoreContract, KeepsEveryStateAndRole) {
    const Conversation owner = add_conversation(1);
    for (const auto state : {MessageState::kComplete,
                             MessageState::kRunning,
                             MessageState::kStopped,
                             MessageState::kInterrupted,
                             MessageState::kLength,
                             MessageState::kFailed}) {
        for (const auto role : {MessageRole::kUser, MessageRole::kAssistant}) {
            Message message = message_of(owner, "m");
            message.state = state;
            message.role = role;
            ASSERT_TRUE(store_->append_messages(kOwner, {message}));
            expect_equal(store_->messages(owner.key())->back(), message);
        }
    }
}

TEST_P(SessionStoreContract, ListsLastUsedFirst) {
    const Conversation old = add_conversation(10);
    const Conversation middle = add_conversation(20);
    const Conversation newest = add_conversation(30);
    Message message = message_of(old, "again");
    message.created_at = 40;
    ASSERT_TRUE(store_->append_messages(kOwner, {message}));
    const auto all = store_->list_conversations(kOwner, 100);
    ASSERT_EQ(all->size(), 3u);
    EXPECT_EQ((*all)[0].id, old.id);
    EXPECT_EQ((*all)[1].id, newest.id);
    EXPECT_EQ((*all)[2].id, middle.id);
    EXPECT_EQ(store_->list_conversations(kOwner, 2)->size(), 2u);
    EXPECT_EQ(store_->list_conversations(kOwner, 0)->size(), 0u);
}

TEST_P(SessionStoreContract, EqualTimesListTheLaterCreatedFirst) {
    const Conversation first = add_conversation(5);
    const Conversation second = add_conversation(5);
    const auto all = store_->list_conversations(kOwner, 100);
    EXPECT_EQ((*all)[0].id, second.id);
    EXPECT_EQ((*all)[1].id, first.id);
}

TEST_P(SessionStoreContract, NamesWhatIsMissing) {
    const ConversationKey none(kOwner, {random_id()});
    EXPECT_EQ(code_of(store_->conversation(none)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(store_->messages(none)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(store_->update_conversation({.id = none.id, .title = "", .owner = kOwner})),
              ErrorCode::kNotFound);
    EXPECT_EQ(code_of(store_->delete_conversation(none)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(store_->clear_messages(none)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(store_->delete_messages(none, {{random_id()}})), ErrorCode::kNotFound);
    const Message message{.id = {random_id()}, .conversation = none.id, .text = ""};
    EXPECT_EQ(code_of(store_->append_messages(kOwner, {message})), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(store_->update_message(message)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(store_->append_text(message.id, {"a", "b"})), ErrorCode::kNotFound);
    EXPECT_EQ(*store_->find_by_client_id(none, "x"), std::nullopt);
}

TEST_P(SessionStoreContract, TheLastMessageIsTheLeafUntilAnotherIsChosen) {
    Conversation owner = add_conversation(1);
    const Message first = message_of(owner, "one");
    const Message second = message_of(owner, "two");
    ASSERT_TRUE(store_->append_messages(kOwner, {first, second}));
    EXPECT_EQ(store_->conversation(owner.key())->leaf, second.id);
    owner.leaf = first.id;
    ASSERT_TRUE(store_->update_conversation(owner));
    EXPECT_EQ(store_->conversation(owner.key())->leaf, first.id);
}

TEST_P(SessionStoreContract, WhatFollowedARemovedMessageFollowsItsParent) {
    const Conversation owner = add_conversation(1);
    const Conversation other = add_conversation(2);
    Message question = message_of(owner, "question");
    Message answer = message_of(owner, "answer");
    answer.parent = question.id;
    Message next = message_of(owner, "next");
    next.parent = answer.id;
    Message elsewhere = message_of(other, "elsewhere");
    elsewhere.parent = answer.id;
    ASSERT_TRUE(store_->append_messages(kOwner, {question, answer, next, elsewhere}));
    EXPECT_EQ(code_of(store_->delete_messages(owner.key(), {answer.id, {"nobody"}})),
              ErrorCode::kNotFound);
    EXPECT_EQ(store_->messages(owner.key())->size(), 3u) << "all or none";
    ASSERT_TRUE(store_->delete_messages(owner.key(), {answer.id}));
    auto left = *store_->messages(owner.key());
    ASSERT_EQ(left.size(), 2u);
    EXPECT_EQ(left[1].parent, question.id);
    EXPECT_EQ(store_->messages(other.key())->front().parent, answer.id);
    ASSERT_TRUE(store_->delete_messages(owner.key(), {next.id}));
    EXPECT_EQ(store_->conversation(owner.key())->leaf, question.id);
    ASSERT_TRUE(store_->delete_messages(owner.key(), {question.id}));
    EXPECT_EQ(store_->conversation(owner.key())->leaf, MessageId{});
    EXPECT_TRUE(store_->messages(owner.key())->empty());
}

TEST_P(SessionStoreContract, AppendsAllOrNone) {
    const Conversation owner = add_conversation(1);
    Message first = message_of(owner, "one");
    first.client_id = "same";
    ASSERT_TRUE(store_->append_messages(kOwner, {first}));
    Message fresh = message_of(owner, "two");
    fresh.created_at = 99;
    Message repeated = message_of(owner, "three");
    repeated.client_id = "same";
    EXPECT_EQ(code_of(store_->append_messages(kOwner, {fresh, repeated})),
              ErrorCode::kAlreadyExists);
    EXPECT_EQ(store_->messages(owner.key())->size(), 1u);
    EXPECT_EQ(store_->conversation(owner.key())->updated_at, 1);
    EXPECT_EQ(code_of(store_->append_messages(kOwner, {first})), ErrorCode::kAlreadyExists);
    EXPECT_EQ(code_of(store_->create_conversation(owner)), ErrorCode::kAlreadyExists);
}

TEST_P(SessionStoreContract, FindsByClientIdWithinAConversation) {
    const Conversation one = add_conversation(1);
    const Conversation two = add_conversation(2);
    Message first = message_of(one, "in one");
    first.client_id = "k";
    Message second = message_of(two, "in two");
    second.client_id = "k";
    ASSERT_TRUE(store_->append_messages(kOwner, {first}));
    ASSERT_TRUE(store_->append_messages(
        kOwner, {second, message_of(two, "none"), message_of(two, "none")}));
    EXPECT_EQ((*store_->find_by_client_id(one.key(), "k"))->id, first.id);
    EXPECT_EQ((*store_->find_by_client_id(two.key(), "k"))->id, second.id);
    EXPECT_EQ(*store_->find_by_client_id(one.key(), "other"), std::nullopt);
    EXPECT_EQ(*store_->find_by_client_id(two.key(), ""), std::nullopt);
}

TEST_P(SessionStoreContract, CollectsThePiecesOfARunningAnswer) {
    const Conversation owner = add_conversation(1);
    Message answer = message_of(owner, "");
    answer.state = MessageState::kRunning;
    Message other = message_of(owner, "");
    other.state = MessageState::kRunning;
    ASSERT_TRUE(store_->append_messages(kOwner, {answer, other}));
    ASSERT_TRUE(store_->append_text(answer.id, {"hm\0m"s, ""}));
    ASSERT_TRUE(store_->append_text(other.id, {"", "mine"}));
    ASSERT_TRUE(store_->append_text(answer.id, {"", "Par"}));
    ASSERT_TRUE(store_->append_text(answer.id, {"", "is\0"s}));
    auto stored = *store_->messages(owner.key());
    EXPECT_EQ(stored[0].thinking, "hm\0m"s);
    EXPECT_EQ(stored[0].text, "Paris\0"s);
    EXPECT_EQ(stored[1].text, "mine");

    auto running = *store_->running_messages();
    ASSERT_EQ(running.size(), 2u);
    for (auto& [whose, message] : running) {
        EXPECT_EQ(whose, kOwner);
        message.state = MessageState::kInterrupted;
        ASSERT_TRUE(store_->update_message(message));
    }
    stored = *store_->messages(owner.key());
    EXPECT_EQ(stored[0].state, MessageState::kInterrupted);
    EXPECT_EQ(stored[0].text, "Paris\0"s);
    EXPECT_EQ(stored[1].text, "mine");
    EXPECT_TRUE(store_->running_messages()->empty());
}

TEST_P(SessionStoreContract, KeepsUsesOfToolsAndWhatTheyGave) {
    const Conversation owner = add_conversation(1);
    Message answer = message_of(owner, "");
    answer.state = MessageState::kRunning;
    const Message other = message_of(owner, "other");
    ASSERT_TRUE(store_->append_messages(kOwner, {answer, other}));
    std::vector<ToolUse> uses;
    for (const auto state : {ToolUseState::kAsking,
                             ToolUseState::kRunning,
                             ToolUseState::kDone,
                             ToolUseState::kFailed,
                             ToolUseState::kDenied,
                             ToolUseState::kInterrupted}) {
        const auto n = std::ssize(uses);
        uses.push_back({.id = std::to_string(n),
                        .name = "tool",
                        .arguments = "{\"a\": \"\0\"}"s,
                        .state = state,
                        .output = "o\0ut"s,
                        .round = n / 2,
                        .text_offset = n,
                        .sends_to = n == 0 ? "example.org" : ""});
    }
    ASSERT_TRUE(store_->put_tool_uses(answer.id, uses));
    uses[0].state = ToolUseState::kDone;
    uses[0].output = "42";
    ASSERT_TRUE(store_->put_tool_uses(answer.id, {uses[0]}));
    EXPECT_EQ(store_->messages(owner.key())->front().tool_uses, uses);
    EXPECT_TRUE(store_->messages(owner.key())->back().tool_uses.empty());
    EXPECT_EQ(store_->running_messages()->front().message.tool_uses, uses);
    EXPECT_EQ(code_of(store_->put_tool_uses({"nobody"}, uses)), ErrorCode::kNotFound);
    ASSERT_TRUE(store_->delete_messages(owner.key(), {answer.id}));
    EXPECT_EQ(store_->messages(owner.key())->size(), 1u);
}

TEST_P(SessionStoreContract, NumbersOfNotesAreNotUsedAgain) {
    const Conversation owner = add_conversation(1);
    const Conversation other = add_conversation(2);
    EXPECT_EQ(store_->add_note(owner.key(), "milk")->number, 1);
    EXPECT_EQ(store_->add_note(owner.key(), "bread")->number, 2);
    EXPECT_EQ(store_->add_note(other.key(), "else")->number, 1);
    ASSERT_TRUE(store_->remove_note(owner.key(), 2));
    EXPECT_EQ(code_of(store_->remove_note(owner.key(), 2)), ErrorCode::kNotFound);
    EXPECT_EQ(store_->add_note(owner.key(), "tea")->number, 3);
    EXPECT_EQ(*store_->notes(owner.key()), (std::vector<StoredNote>{{1, "milk"}, {3, "tea"}}));
    EXPECT_EQ(code_of(store_->notes({kOwner, {"nobody"}})), ErrorCode::kNotFound);
    ASSERT_TRUE(store_->delete_conversation(owner.key()));
    EXPECT_EQ(store_->notes(other.key())->size(), 1u);
}

TEST_P(SessionStoreContract, TheFinalTextReplacesThePieces) {
    const Conversation owner = add_conversation(1);
    Message answer = message_of(owner, "");
    answer.state = MessageState::kRunning;
    ASSERT_TRUE(store_->append_messages(kOwner, {answer}));
    ASSERT_TRUE(store_->append_text(answer.id, {"a", "b"}));
    answer.text = "b and more";
    answer.thinking = "a";
    for (const auto state : {MessageState::kRunning, MessageState::kComplete}) {
        answer.state = state;
        ASSERT_TRUE(store_->update_message(answer));
        expect_equal(store_->messages(owner.key())->front(), answer);
    }
}

TEST_P(SessionStoreContract, ClearsAndDeletesOnlyWhatWasNamed) {
    const Conversation one = add_conversation(1);
    const Conversation two = add_conversation(2);
    Message first = message_of(one, "1");
    first.client_id = "k";
    ASSERT_TRUE(store_->append_messages(kOwner, {first}));
    ASSERT_TRUE(store_->append_messages(kOwner, {message_of(two, "2")}));
    ASSERT_TRUE(store_->clear_messages(one.key()));
    EXPECT_TRUE(store_->messages(one.key())->empty());
    EXPECT_EQ(store_->messages(two.key())->size(), 1u);
    ASSERT_TRUE(store_->append_messages(kOwner, {first}))
        << "a cleared message's ids are free again";
    ASSERT_TRUE(store_->delete_conversation(one.key()));
    EXPECT_EQ(code_of(store_->messages(one.key())), ErrorCode::kNotFound);
    EXPECT_EQ(store_->list_conversations(kOwner, 10)->size(), 1u);
    EXPECT_EQ(*store_->find_by_client_id(one.key(), "k"), std::nullopt);
}

const StoreKind kStores[] = {
    {"Memory", [](const auto&) { return std::make_unique<MemoryStore>(); }},
    {"Sqlite",
     [](const auto& folder) { return std::move(*SqliteStore::open(folder / "test.db")); }},
};

INSTANTIATE_TEST_SUITE_P(Stores,
                         SessionStoreContract,
                         testing::ValuesIn(kStores),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace notso::services

// What a person can do: send, read, send again, change, clear, delete.
#include "services/chat/chat_service.hpp"

#include <cmath>

#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

class ChatServiceTest : public ChatFixture {};

TEST_F(ChatServiceTest, AnAnswerIsWrittenShownAndStored) {
    const Conversation conversation = new_conversation();
    const auto sent = send(conversation.id, "What is the capital of France?", "c1");
    ASSERT_TRUE(sent) << sent.error().detail;
    EXPECT_FALSE(sent->repeated);
    EXPECT_EQ(sent->answer.state, MessageState::kRunning);
    EXPECT_EQ(sent->answer.parent, sent->user.id);
    EXPECT_EQ(chat_->running(conversation.key()), sent->feed);
    EXPECT_EQ(chat_->feed(conversation.key(), sent->answer.id), sent->feed);

    const auto call = backend_.call(0);
    backend_.emit(
        call,
        {Queued{2}, Prefill{5, 10}, ThinkingStarted{}, ThinkingText{"France… "}, ThinkingEnded{}});
    backend_.emit(call, {Text{"Par"}, Progress{4}, Text{"is"}, Progress{5}});
    wait_text(sent->feed, "Paris");
    backend_.emit(call,
                  {End{.finish = ChatFinish::kStop,
                       .usage = {.prompt_tokens = 10,
                                 .cached_tokens = 3,
                                 .completion_tokens = 5,
                                 .reasoning_tokens = 2,
                                 .decode_ms = 100}}});
    const Message end = wait_end(sent->feed);
    EXPECT_EQ(end.state, MessageState::kComplete);
    EXPECT_EQ(end.text, "Paris");
    EXPECT_EQ(end.thinking, "France… ");
    EXPECT_EQ(end.stats.prompt_tokens, 10);
    EXPECT_EQ(end.stats.cached_tokens, 3);
    EXPECT_EQ(end.stats.completion_tokens, 5);
    EXPECT_EQ(end.stats.reasoning_tokens, 2);
    EXPECT_DOUBLE_EQ(end.stats.tokens_per_second, 50);
    EXPECT_GT(end.stats.first_token_ms, 0);
    EXPECT_GT(end.stats.thinking_ms, 0);
    EXPECT_EQ(chat_->running(conversation.key()), nullptr);
    EXPECT_EQ(chat_->feed(conversation.key(), sent->answer.id), sent->feed) << "kept for replay";

    const auto view = open(conversation.id);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->conversation.title, "What is the capital of France?");
    ASSERT_EQ(view->messages.size(), 2u);
    EXPECT_EQ(view->messages[1].text, "Paris");
    EXPECT_EQ(view->messages[1].state, MessageState::kComplete);
    EXPECT_EQ(view->running, nullptr);
}

TEST_F(ChatServiceTest, RefusesWhatIsNoMessage) {
    const Conversation conversation = new_conversation();
    EXPECT_EQ(send(conversation.id, " \n\t ").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(send(conversation.id, "\xff").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(send(conversation.id, "x", std::string(1000, 'i')).error().code,
              ErrorCode::kInvalidArgument);
    const std::size_t limit = std::size_t{256} * 1024;
    EXPECT_EQ(send(conversation.id, std::string(limit + 1, 'x')).error().code,
              ErrorCode::kTooLarge);
    EXPECT_EQ(send({"unknown"}, "x").error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(open(conversation.id)->messages.empty());
    backend_.context_length = 2 * static_cast<std::int64_t>(limit);
    EXPECT_TRUE(send(conversation.id, std::string(limit, 'x')));
}

TEST_F(ChatServiceTest, TheSameSendTwiceIsOneMessage) {
    const Conversation conversation = new_conversation();
    std::optional<Result<SentMessage>> first;
    chat_->send({.conversation = conversation.key(), .text = "hello", .client_id = "k"},
                [&](Result<SentMessage> result) { first = std::move(result); });
    const auto second = send(conversation.id, "hello", "k");  // a double click
    ASSERT_TRUE(first && *first);
    ASSERT_TRUE(second) << second.error().detail;
    EXPECT_FALSE((*first)->repeated);
    EXPECT_TRUE(second->repeated);
    EXPECT_EQ(second->user.id, (*first)->user.id);
    EXPECT_EQ(second->feed, (*first)->feed);
    backend_.emit(backend_.call(0), {Text{"hi"}, End{}});
    wait_end(second->feed);

    const auto third = send(conversation.id, "hello", "k");  // a retry after the end
    ASSERT_TRUE(third);
    EXPECT_TRUE(third->repeated);
    EXPECT_EQ(third->answer.text, "hi");
    restart();
    const auto fourth = send(conversation.id, "hello", "k");  // and after a restart
    ASSERT_TRUE(fourth);
    EXPECT_TRUE(fourth->repeated);
    EXPECT_EQ(fourth->feed, nullptr);
    EXPECT_EQ(open(conversation.id)->messages.size(), 2u);
    EXPECT_EQ(backend_.n_calls(), 1u);
}

TEST_F(ChatServiceTest, AnotherMessageIsBusyWhileAnAnswerRuns) {
    const Conversation conversation = new_conversation();
    const auto first = send(conversation.id, "one");
    EXPECT_EQ(send(conversation.id, "two").error().code, ErrorCode::kBusy);
    backend_.emit(backend_.call(0), {Text{"1"}, End{}});
    wait_end(first->feed);
    EXPECT_EQ(ask(conversation.id, "two", "2", 1).text, "2");
    EXPECT_EQ(open(conversation.id)->messages.size(), 4u);
}

TEST_F(ChatServiceTest, TwoConversationsAnswerAtOnce) {
    const Conversation a = new_conversation();
    const Conversation b = new_conversation();
    const auto in_a = send(a.id, "to a");
    const auto in_b = send(b.id, "to b");
    const auto call_a = backend_.call(0);
    const auto call_b = backend_.call(1);
    for (const char* piece : {"x", "y", "z"}) {
        backend_.emit(call_a, {Text{piece}});
        backend_.emit(call_b, {Text{std::string(2, *piece)}});
    }
    backend_.emit(call_b, {End{}});
    EXPECT_EQ(wait_end(in_b->feed).text, "xxyyzz");
    EXPECT_NE(chat_->running(a.key()), nullptr);
    backend_.emit(call_a, {End{}});
    EXPECT_EQ(wait_end(in_a->feed).text, "xyz");
    EXPECT_EQ(open(a.id)->messages[1].text, "xyz");
    EXPECT_EQ(open(b.id)->messages[1].text, "xxyyzz");
}

TEST_F(ChatServiceTest, TheModelReadsTheConversationWithoutThoughts) {
    const Conversation conversation = new_conversation();
    const auto sent = send(conversation.id, "first");
    backend_.emit(backend_.call(0), {ThinkingText{"secret"}, ThinkingEnded{}, Text{"one"}, End{}});
    wait_end(sent->feed);
    ask(conversation.id, "second", "two", 1);
    const auto& messages = backend_.call(1)->request.messages;
    ASSERT_EQ(messages.size(), 3u);
    EXPECT_EQ(messages[0].content, "first");
    EXPECT_EQ(messages[1].content, "one");
    EXPECT_EQ(messages[2].content, "second");
    EXPECT_EQ(backend_.call(0)->request.date, conversation.date);
    EXPECT_EQ(backend_.call(1)->request.date, conversation.date) << "frozen";
    EXPECT_EQ(conversation.date.size(), std::string("2026-11-23T09:00:00").size());
}

TEST_F(ChatServiceTest, SettingsOfAConversationReachTheModel) {
    const Conversation conversation = new_conversation();
    const auto set_temperature = [&](double value) {
        return await<Conversation>(
            [&](auto done) { chat_->set_temperature(conversation.key(), value, std::move(done)); });
    };
    for (const double bad : {-0.1, 2.1, std::nan(""), HUGE_VAL}) {
        EXPECT_EQ(set_temperature(bad).error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_EQ(set_temperature(0.25)->settings.temperature, 0.25);
    const auto set_model = [&](std::string model) {
        return await<Conversation>(
            [&](auto done) { chat_->set_model(conversation.key(), model, std::move(done)); });
    };
    EXPECT_EQ(set_model("gone").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(set_model("other")->model, "other");
    const auto thinking = await<Conversation>(
        [&](auto done) { chat_->set_thinking(conversation.key(), true, std::move(done)); });
    EXPECT_TRUE(thinking->thinking);
    ask(conversation.id, "one", "1", 0);
    EXPECT_TRUE(backend_.call(0)->request.thinking);
    EXPECT_EQ(backend_.call(0)->request.sampling.temperature, 0.25);

    const auto sent =
        send(SendRequest{.conversation = conversation.key(), .text = "two", .thinking = false});
    EXPECT_FALSE(backend_.call(1)->request.thinking) << "for this message only";
    EXPECT_TRUE(open(conversation.id)->conversation.thinking);
}

TEST_F(ChatServiceTest, AThinkingBudgetOfTheServerTheChatAndTheMessage) {
    const Conversation conversation = new_conversation();
    const auto set = [&](std::optional<std::int64_t> tokens) {
        return await<Conversation>([&](auto done) {
            chat_->set_thinking_budget(conversation.key(), tokens, std::move(done));
        });
    };
    const auto asked_for = [&](std::size_t n) {
        ask(conversation.id, "and?", "so.", n);
        return backend_.call(n)->request.thinking_budget;
    };
    for (const std::int64_t bad : {std::int64_t{-1}, kMaxThinkingBudget + 1, INT64_MIN, INT64_MAX})
        EXPECT_EQ(set(bad).error().code, ErrorCode::kInvalidArgument) << bad;
    EXPECT_EQ(asked_for(0), std::nullopt) << "no limit, where nobody set one";
    EXPECT_EQ(set(kMaxThinkingBudget)->settings.thinking_budget, kMaxThinkingBudget);
    EXPECT_EQ(asked_for(1), kMaxThinkingBudget);
    thinking_budget_ = 300;
    restart();
    EXPECT_EQ(chat_->thinking_budget(), 300);
    EXPECT_EQ(asked_for(2), kMaxThinkingBudget) << "the chat's own";
    set(std::nullopt);
    EXPECT_EQ(asked_for(3), 300);
    set(0);
    EXPECT_EQ(asked_for(4), std::nullopt) << "0 means no limit";
    ASSERT_TRUE(send({.conversation = conversation.key(), .text = "x", .thinking_budget = 7}));
    EXPECT_EQ(backend_.call(5)->request.thinking_budget, 7);
    EXPECT_EQ(open(conversation.id)->conversation.settings.thinking_budget, 0)
        << "of that message only";
    EXPECT_EQ(
        send({.conversation = conversation.key(), .text = "x", .thinking_budget = -1}).error().code,
        ErrorCode::kInvalidArgument);
}

TEST_F(ChatServiceTest, TitlesComeFromTheFirstMessageUntilRenamed) {
    const Conversation conversation = new_conversation();
    EXPECT_EQ(conversation.title, "");
    const auto rename = [&](std::string title) {
        return await<void>([&](auto done) {
            chat_->rename(conversation.key(), std::move(title), std::move(done));
        });
    };
    ask(conversation.id, "Tell me a story\nplease", "once", 0);
    EXPECT_EQ(open(conversation.id)->conversation.title, "Tell me a story");
    EXPECT_TRUE(rename(" My\n title "));
    ask(conversation.id, "Another", "twice", 1);
    EXPECT_EQ(open(conversation.id)->conversation.title, "My title");
    EXPECT_EQ(rename("").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(rename("\xff").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(rename(std::string(201, 'x')).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(rename(std::string(200, 'x')));
}

TEST_F(ChatServiceTest, ListsLastUsedFirst) {
    const Conversation a = new_conversation();
    const Conversation b = new_conversation();
    const auto list = [&] {
        return *await<std::vector<Conversation>>(
            [&](auto done) { chat_->list_conversations(kOwner, std::move(done)); });
    };
    EXPECT_EQ(list()[0].id, b.id);
    for (const UnixMs now = now_ms(); now_ms() <= now;) std::this_thread::yield();
    ask(a.id, "hello", "hi", 0);
    EXPECT_EQ(list()[0].id, a.id);
    EXPECT_EQ(list().size(), 2u);
}

TEST_F(ChatServiceTest, ARunningAnswerIsOpenedAsFarAsItWasShown) {
    const Conversation conversation = new_conversation();
    const auto sent = send(conversation.id, "question");
    backend_.emit(backend_.call(0), {Text{"so far"}});
    wait_text(sent->feed, "so far");
    const auto view = open(conversation.id);
    EXPECT_EQ(view->running, sent->feed);
    EXPECT_EQ(view->messages[1].text, "so far");
    EXPECT_EQ(view->messages[1].state, MessageState::kRunning);
    EXPECT_EQ(open({"unknown"}).error().code, ErrorCode::kNotFound);
}

TEST_F(ChatServiceTest, ClearAndRemoveStopFirst) {
    std::size_t n = 0;
    for (const bool whole : {false, true}) {
        const Conversation conversation = new_conversation();
        const auto sent = send(conversation.id, "question");
        const auto call = backend_.call(n++);
        backend_.emit(call, {Text{"half"}});
        wait_text(sent->feed, "half");
        ASSERT_TRUE(whole ? remove(conversation.id) : clear(conversation.id));
        EXPECT_EQ(sent->feed->snapshot().ended->state, MessageState::kStopped);
        wait_cancelled(*call);
        EXPECT_EQ(chat_->feed(conversation.key(), sent->answer.id), nullptr);
        const auto view = open(conversation.id);
        EXPECT_EQ(view.has_value(), !whole);
        EXPECT_TRUE(!view || view->messages.empty());
    }
    EXPECT_EQ(remove({"unknown"}).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(clear({"unknown"}).error().code, ErrorCode::kNotFound);
}

TEST_F(ChatServiceTest, AFailedSendStoresNothingAndCanBeRepeated) {
    const Conversation conversation = new_conversation();
    store_->full = true;
    const auto refused = send(conversation.id, "important", "k");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
    EXPECT_EQ(chat_->running(conversation.key()), nullptr);
    EXPECT_TRUE(open(conversation.id)->messages.empty());
    EXPECT_EQ(backend_.n_calls(), 0u);
    store_->full = false;
    const auto sent = send(conversation.id, "important", "k");
    ASSERT_TRUE(sent);
    EXPECT_FALSE(sent->repeated);
    EXPECT_EQ(open(conversation.id)->messages.size(), 2u);
}

TEST_F(ChatServiceTest, ShutDownWaitsForAnswersThatEndInTime) {
    const Conversation conversation = new_conversation();
    const auto sent = send(conversation.id, "question");
    std::optional<Result<>> closed;
    chat_->shut_down(60'000, [&](Result<> done) { closed = done; });
    EXPECT_EQ(send(conversation.id, "more").error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(closed);
    backend_.emit(backend_.call(0), {Text{"whole"}, End{}});
    loop_.run_until([&] { return closed.has_value(); });
    EXPECT_EQ(sent->feed->snapshot().ended->state, MessageState::kComplete);
    EXPECT_EQ((*store_->messages(conversation.key()))[1].text, "whole");
}

TEST_F(ChatServiceTest, ShutDownSavesTheRestAsInterrupted) {
    const Conversation conversation = new_conversation();
    const auto sent = send(conversation.id, "question");
    const auto call = backend_.call(0);
    call->answers_cancel = false;  // a stuck engine does not hold up the exit
    backend_.emit(call, {Text{"half"}});
    wait_text(sent->feed, "half");
    std::optional<Result<>> patient;
    chat_->shut_down(3'600'000, [&](Result<> done) { patient = done; });
    ASSERT_TRUE(await<void>([&](auto done) { chat_->shut_down(1, std::move(done)); }));
    EXPECT_TRUE(patient.has_value()) << "a second call shortens the grace of the first";
    EXPECT_EQ(sent->feed->snapshot().ended->state, MessageState::kInterrupted);
    const Message kept = (*store_->messages(conversation.key()))[1];
    EXPECT_EQ(kept.state, MessageState::kInterrupted);
    EXPECT_EQ(kept.text, "half");
    wait_cancelled(*call);
}

TEST_F(ChatServiceTest, ShutDownWithNothingRunningIsDoneAtOnce) {
    EXPECT_TRUE(await<void>([&](auto done) { chat_->shut_down(3'600'000, std::move(done)); }));
}

}  // namespace
}  // namespace notso::services

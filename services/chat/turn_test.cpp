// The life of a turn: stop in every phase, failures of the backend and of the disk, bursts, replay.
#include "services/chat/turn.hpp"

#include <future>
#include <thread>

#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

class TurnTest : public ChatFixture {
  protected:
    SentMessage start() {
        auto sent = send(conversation_.id, "question");
        EXPECT_TRUE(sent) << sent.error().detail;
        return *std::move(sent);
    }
    void wait_phase(const std::shared_ptr<TurnFeed>& feed, TurnPhase phase) {
        loop_.run_until([&] { return feed->snapshot().status.phase == phase; });
    }
    // Stops, and checks what is left in the feed and in the store.
    void expect_stopped(const SentMessage& sent,
                        const std::string& text,
                        const std::string& thinking) {
        ASSERT_TRUE(stop(conversation_.id));
        ASSERT_TRUE(sent.feed->ended());
        for (const Message& message :
             {*sent.feed->snapshot().ended, stored(conversation_.id, sent.answer.id)}) {
            EXPECT_EQ(message.state, MessageState::kStopped);
            EXPECT_EQ(message.text, text);
            EXPECT_EQ(message.thinking, thinking);
            EXPECT_EQ(message.error, "");
        }
        EXPECT_EQ(chat_->running(conversation_.key()), nullptr);
        EXPECT_EQ(ask(conversation_.id, "next", "fine", backend_.n_calls()).state,
                  MessageState::kComplete);
    }

    const Conversation conversation_ = new_conversation();
};

TEST_F(TurnTest, StopWhileStillStoring) {
    std::optional<Result<SentMessage>> sent;
    chat_->send({.conversation = conversation_.key(), .text = "question"},
                [&](Result<SentMessage> result) { sent = std::move(result); });
    ASSERT_TRUE(stop(conversation_.id));
    ASSERT_TRUE(sent && *sent);
    EXPECT_EQ(backend_.n_calls(), 0u) << "the backend was never asked";
    expect_stopped(**sent, "", "");
}

TEST_F(TurnTest, StopWhileThePromptIsMade) {
    std::promise<void> entered;
    std::promise<void> leave;
    backend_.before_start = [&] {
        entered.set_value();
        leave.get_future().wait();
    };
    const SentMessage sent = start();
    entered.get_future().wait();
    ASSERT_TRUE(stop(conversation_.id)) << "without waiting for the prompt";
    EXPECT_EQ(sent.feed->snapshot().ended->state, MessageState::kStopped);
    leave.set_value();
    wait_cancelled(*backend_.call(0));
    backend_.before_start = {};
    expect_stopped(sent, "", "");
}

TEST_F(TurnTest, StopBeforeThePromptIsMadeSparesTheBackend) {
    std::promise<void> leave;
    compute_->post([&leave] { leave.get_future().wait(); });
    const SentMessage sent = start();
    ASSERT_TRUE(stop(conversation_.id));
    leave.set_value();
    wait_compute();
    EXPECT_EQ(backend_.n_calls(), 0u);
    expect_stopped(sent, "", "");
}

TEST_F(TurnTest, TheStatusSaysWhatIsLeftOut) {
    ask(conversation_.id, std::string(400, 'a'), std::string(400, 'b'), 0);
    const SentMessage sent = start();
    const auto call = backend_.call(1);
    loop_.run_until([&] { return sent.feed->snapshot().status.messages_left_out == 2; });
    EXPECT_EQ(call->request.messages.size(), 1u);
}

TEST_F(TurnTest, StopWhileQueued) {
    const SentMessage sent = start();
    backend_.emit(backend_.call(0), {Queued{3, 40'000}});
    loop_.run_until([&] { return sent.feed->snapshot().status.queue_position == 3; });
    EXPECT_EQ(sent.feed->snapshot().status.queue_wait_ms, 40'000);
    expect_stopped(sent, "", "");
}

TEST_F(TurnTest, StopInPrefill) {
    const SentMessage sent = start();
    backend_.emit(backend_.call(0), {Prefill{1, 100}});
    wait_phase(sent.feed, TurnPhase::kPrefill);
    expect_stopped(sent, "", "");
}

TEST_F(TurnTest, ReadingSaysHowFastItIs) {
    const SentMessage sent = start();
    const auto call = backend_.call(0);
    backend_.emit(call, {Queued{0}, Prefill{40, 100}});  // 40 were known already
    wait_phase(sent.feed, TurnPhase::kPrefill);
    EXPECT_EQ(sent.feed->snapshot().status.prefill_tokens_per_second, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    backend_.emit(call, {Prefill{90, 100}, ThinkingStarted{}});
    wait_phase(sent.feed, TurnPhase::kThinking);
    const double rate = sent.feed->snapshot().status.prefill_tokens_per_second;
    EXPECT_GT(rate, 0);
    EXPECT_LE(rate, 50 / 0.02);  // those 50 only
    expect_stopped(sent, "", "");
}

TEST_F(TurnTest, StopWhileThinking) {
    const SentMessage sent = start();
    backend_.emit(backend_.call(0), {ThinkingStarted{}, ThinkingText{"hm"}});
    loop_.run_until([&] { return sent.feed->snapshot().thinking == "hm"; });
    expect_stopped(sent, "", "hm");
    EXPECT_GT(sent.feed->snapshot().ended->stats.thinking_ms, 0);
}

TEST_F(TurnTest, StopWhileWriting) {
    const SentMessage sent = start();
    backend_.emit(backend_.call(0),
                  {ThinkingText{"hm"}, ThinkingEnded{}, Text{"half an"}, Progress{3}});
    wait_text(sent.feed, "half an");
    expect_stopped(sent, "half an", "hm");
    EXPECT_EQ(sent.feed->snapshot().ended->stats.completion_tokens, 3);
}

TEST_F(TurnTest, ASecondStopNoLongerWaitsForTheBackend) {
    const SentMessage sent = start();
    const auto call = backend_.call(0);
    call->answers_cancel = false;
    backend_.emit(call, {Text{"stuck"}});
    wait_text(sent.feed, "stuck");
    wait_compute();  // the turn holds the stream
    std::optional<Result<>> first;
    chat_->stop(conversation_.key(), [&](Result<> done) { first = done; });
    EXPECT_FALSE(sent.feed->ended());
    ASSERT_TRUE(stop(conversation_.id));
    EXPECT_TRUE(first.has_value());
    EXPECT_EQ(sent.feed->snapshot().ended->text, "stuck");
    backend_.emit(call, {Text{"too late"}});
    EXPECT_EQ(stored(conversation_.id, sent.answer.id).text, "stuck");
}

TEST_F(TurnTest, StopWithoutAnythingRunningIsFine) {
    EXPECT_TRUE(stop(conversation_.id));
    EXPECT_TRUE(stop({"unknown"}));
}

TEST_F(TurnTest, ABackendThatRefusesFailsTheAnswerWithItsReason) {
    for (const ErrorCode code :
         {ErrorCode::kOverloaded, ErrorCode::kContextLength, ErrorCode::kUnavailable}) {
        backend_.start_error = Error{code, "because of " + std::string(to_string(code))};
        const SentMessage sent = start();
        const Message end = wait_end(sent.feed);
        EXPECT_EQ(end.state, MessageState::kFailed);
        EXPECT_EQ(end.error, backend_.start_error->detail);
        EXPECT_EQ(stored(conversation_.id, end.id).error, end.error);
    }
}

TEST_F(TurnTest, AnErrorInTheMiddleKeepsTheText) {
    const SentMessage sent = start();
    backend_.emit(
        backend_.call(0),
        {Text{"so far"},
         End{.finish = ChatFinish::kError, .error = Error{ErrorCode::kIo, "engine died"}}});
    const Message end = wait_end(sent.feed);
    EXPECT_EQ(end.state, MessageState::kFailed);
    EXPECT_EQ(end.text, "so far");
    EXPECT_EQ(end.error, "engine died");
}

TEST_F(TurnTest, AQuestionThatIsTooLongForAnotherModelFailsWithBothNumbers) {
    const SentMessage sent = *send(conversation_.id, std::string(240, 'x'));
    stop(conversation_.id);
    wait_end(sent.feed);
    ASSERT_TRUE(await<Conversation>(
        [&](auto done) { chat_->set_model(conversation_.key(), "small", std::move(done)); }));
    const auto again = await<SentMessage>([&](auto done) {
        chat_->regenerate({.conversation = conversation_.key(),
                           .question = sent.user.id,
                           .answer = sent.answer.id},
                          std::move(done));
    });
    ASSERT_TRUE(again);
    const Message end = wait_end(again->feed);
    EXPECT_EQ(end.state, MessageState::kFailed);
    EXPECT_NE(end.error.find("240"), std::string::npos) << end.error;
    EXPECT_EQ(ask(conversation_.id, "short", "fine", backend_.n_calls()).state,
              MessageState::kComplete)
        << "the next message is not held back by it";
}

TEST_F(TurnTest, LengthIsNotComplete) {
    const SentMessage sent = start();
    backend_.emit(backend_.call(0), {Text{"cut"}, End{.finish = ChatFinish::kLength}});
    EXPECT_EQ(wait_end(sent.feed).state, MessageState::kLength);
}

TEST_F(TurnTest, AFullDiskLetsTheAnswerGoOnAndSaysSo) {
    const SentMessage sent = start();
    const auto call = backend_.call(0);
    backend_.emit(call, {Text{"on disk, "}});
    wait_text(sent.feed, "on disk, ");
    store_->full = true;
    backend_.emit(call, {Text{"in memory"}});
    wait_text(sent.feed, "on disk, in memory");
    backend_.emit(call, {End{}});
    const Message end = wait_end(sent.feed);
    EXPECT_EQ(end.state, MessageState::kFailed);
    EXPECT_EQ(end.text, "on disk, in memory");
    EXPECT_NE(end.error.find("the disk is full"), std::string::npos);
    EXPECT_EQ(stored(conversation_.id, end.id).text, end.text) << "still shown";

    store_->full = false;
    open(conversation_.id);  // tries again
    const Message healed = stored(conversation_.id, end.id);
    EXPECT_EQ(healed.state, MessageState::kComplete);
    EXPECT_EQ(healed.text, "on disk, in memory");
    EXPECT_EQ((*store_->messages(conversation_.key()))[1].text, "on disk, in memory");
}

TEST_F(TurnTest, PiecesThatFailedToBeStoredAreStoredWithTheNext) {
    const SentMessage sent = start();
    const auto call = backend_.call(0);
    store_->full = true;
    backend_.emit(call, {ThinkingText{"t"}, Text{"a"}});
    wait_text(sent.feed, "a");
    store_->full = false;
    backend_.emit(call, {Text{"b"}});
    wait_text(sent.feed, "ab");
    chat_.reset();  // as a crash would, but without an end
    database_->stop();
    EXPECT_EQ((*store_->messages(conversation_.key()))[1].text, "ab");
    EXPECT_EQ((*store_->messages(conversation_.key()))[1].thinking, "t");
}

TEST_F(TurnTest, WhatWasShownSurvivesARestart) {
    const SentMessage sent = start();
    backend_.emit(backend_.call(0), {ThinkingText{"why"}, ThinkingEnded{}, Text{"shown"}});
    wait_text(sent.feed, "shown");
    restart();
    const Message message = stored(conversation_.id, sent.answer.id);
    EXPECT_EQ(message.state, MessageState::kInterrupted);
    EXPECT_EQ(message.text, "shown");
    EXPECT_EQ(message.thinking, "why");
    EXPECT_EQ((*store_->messages(conversation_.key()))[1].state, MessageState::kInterrupted);
    EXPECT_EQ(chat_->running(conversation_.key()), nullptr);
    EXPECT_EQ(ask(conversation_.id, "again", "fine", 1).state, MessageState::kComplete);
    EXPECT_EQ(backend_.call(1)->request.messages[1].content, "shown");
}

TEST_F(TurnTest, ManyTokensAtOnceArriveWholeInFewEvents) {
    const SentMessage sent = start();
    std::string expected;
    std::vector<ChatEvent> events;
    for (int i = 1; i <= 10'000; ++i) {
        expected += std::to_string(i) + " ";
        events.emplace_back(Text{std::to_string(i) + " "});
        events.emplace_back(Progress{i});
    }
    events.emplace_back(End{});
    backend_.emit(backend_.call(0), std::move(events));
    backend_.wait_given();
    const Message end = wait_end(sent.feed);
    EXPECT_EQ(end.text, expected);
    EXPECT_EQ(end.stats.completion_tokens, 10'000);
    EXPECT_EQ(stored(conversation_.id, end.id).text, expected);
    EXPECT_LT(sent.feed->snapshot().seq, 10u) << "pieces that wait are joined";
}

TEST_F(TurnTest, SeveralReadersSeeTheSameFromWhereverTheyJoin) {
    const SentMessage sent = start();
    const auto call = backend_.call(0);
    struct Reader {
        std::uint64_t seq = 0;
        std::string text;
        TurnFeed::Subscription subscription;
    };
    std::vector<std::unique_ptr<Reader>> readers;
    const auto join = [&] {
        auto reader = std::make_unique<Reader>();
        reader->subscription = sent.feed->subscribe([this, feed = sent.feed, raw = reader.get()] {
            loop_.post([feed, raw] {
                const auto events = feed->since(raw->seq);
                for (const FeedEvent& event : *events) {
                    EXPECT_EQ(event.seq, raw->seq + 1);
                    raw->seq = event.seq;
                    if (const auto* text = std::get_if<feed_event::Text>(&event.body))
                        raw->text += text->text;
                }
            });
        });
        readers.push_back(std::move(reader));
    };
    std::string expected;
    for (int i = 0; i < 20; ++i) {
        join();
        const std::string piece = "piece " + std::to_string(i) + " ";
        expected += piece;
        backend_.emit(call, {Text{piece}});
        wait_text(sent.feed, expected);
    }
    backend_.emit(call, {End{}});
    wait_end(sent.feed);
    open(conversation_.id);  // lets the readers' last tasks run
    for (const auto& reader : readers) EXPECT_EQ(reader->text, expected);
}

}  // namespace
}  // namespace notso::services

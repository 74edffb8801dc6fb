// Messages that are sent while an answer runs: in order, once, taken back, over restarts.
#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

class WaitingTest : public ChatFixture {
  protected:
    Result<SentMessage> later(std::string text, std::string client_id = {}) {
        return send({.conversation = conversation_.key(),
                     .text = std::move(text),
                     .client_id = std::move(client_id),
                     .may_wait = true});
    }
    Result<WaitingMessage> withdraw(std::string client_id) {
        return await<WaitingMessage>([&](auto done) {
            chat_->withdraw(conversation_.key(), std::move(client_id), std::move(done));
        });
    }
    std::vector<std::string> line() {
        std::vector<std::string> texts;
        const auto view = open(conversation_.id);
        for (const auto& message : view->waiting) texts.push_back(message.text);
        return texts;
    }
    std::shared_ptr<FakeBackend::Call> call(std::size_t n) {
        loop_.run_until([&] { return backend_.n_calls() > n; });
        return backend_.call(n);
    }
    std::vector<std::string> texts() {
        std::vector<std::string> all;
        const auto view = open(conversation_.id);
        for (const Message& message : view->messages) all.push_back(message.text);
        return all;
    }

    const Conversation conversation_ = new_conversation();
    using Texts = std::vector<std::string>;
};

TEST_F(WaitingTest, TheyAreSentInOrder) {
    const auto first = later("one");
    EXPECT_FALSE(first->waits) << "nothing ran";
    for (const char* text : {"two", "three"}) {
        const auto sent = later(text);
        ASSERT_TRUE(sent) << sent.error().detail;
        EXPECT_TRUE(sent->waits);
        EXPECT_EQ(sent->feed, first->feed);
    }
    EXPECT_EQ(line(), (Texts{"two", "three"}));
    ASSERT_EQ(first->feed->snapshot().waiting.size(), 2U) << "every tab is told";
    for (std::size_t n = 0; n < 3; ++n) backend_.emit(call(n), {Text{"answer"}, End{}});
    loop_.run_until([&] { return chat_->running(conversation_.key()) == nullptr; });
    EXPECT_EQ(texts(), (Texts{"one", "answer", "two", "answer", "three", "answer"}));
    EXPECT_EQ(line(), Texts{});
    EXPECT_EQ(backend_.n_calls(), 3U);
}

TEST_F(WaitingTest, NobodyOvertakesThem) {
    later("one");
    later("two");
    backend_.emit(call(0), {Text{"answer"}, End{}});
    loop_.run_until([&] {
        const auto feed = chat_->running(conversation_.key());
        return feed == nullptr || feed->answer() != open(conversation_.id)->messages[1].id;
    });
    EXPECT_TRUE(later("three")->waits);
    EXPECT_EQ(send(conversation_.id, "four").error().code, ErrorCode::kBusy)
        << "who may not wait is refused";
    for (std::size_t n = 1; n < 3; ++n) backend_.emit(call(n), {Text{"answer"}, End{}});
    loop_.run_until([&] { return chat_->running(conversation_.key()) == nullptr; });
    EXPECT_EQ(texts(), (Texts{"one", "answer", "two", "answer", "three", "answer"}));
}

TEST_F(WaitingTest, StopSendsTheNext) {
    const auto first = later("one");
    later("two");
    backend_.emit(call(0), {Text{"half"}});
    wait_text(first->feed, "half");
    ASSERT_TRUE(stop(conversation_.id));
    backend_.emit(call(1), {Text{"whole"}, End{}});
    loop_.run_until([&] { return chat_->running(conversation_.key()) == nullptr; });
    EXPECT_EQ(texts(), (Texts{"one", "half", "two", "whole"}));
}

TEST_F(WaitingTest, OneIsTakenBack) {
    const auto first = later("one");
    later("two", "b");
    later("three", "c");
    EXPECT_EQ(withdraw("b")->text, "two");
    EXPECT_EQ(first->feed->snapshot().waiting.size(), 1U);
    EXPECT_EQ(withdraw("b").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(withdraw("c")->text, "three");
    backend_.emit(call(0), {Text{"answer"}, End{}});
    wait_end(first->feed);
    EXPECT_EQ(ask(conversation_.id, "four", "fine", 1).state, MessageState::kComplete)
        << "nothing is in the way";
}

TEST_F(WaitingTest, SentAgainItWaitsOnce) {
    later("one", "a");
    EXPECT_TRUE(later("one", "a")->repeated);
    EXPECT_TRUE(later("two", "b")->waits);
    EXPECT_TRUE(later("two", "b")->waits);
    EXPECT_EQ(line(), Texts{"two"});
    backend_.emit(call(0), {Text{"answer"}, End{}});
    call(1);
    EXPECT_TRUE(later("two", "b")->repeated);
    EXPECT_EQ(line(), Texts{});
}

TEST_F(WaitingTest, TheLineEnds) {
    later("one");
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(later("more"));
    const auto refused = later("too many");
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
    ASSERT_TRUE(clear(conversation_.id));
    EXPECT_EQ(line(), Texts{});
    EXPECT_EQ(chat_->running(conversation_.key()), nullptr);
    EXPECT_EQ(texts(), Texts{});
}

TEST_F(WaitingTest, TheyOutliveTheServer) {
    later("one");
    later("two", "b");
    later("three", "c");
    call(0);
    restart();
    backend_.emit(call(1), {Text{"answer"}, End{}});
    call(2);
    EXPECT_EQ(line(), Texts{});
    // As if the process had died between storing it as a message and taking it out of the line.
    ASSERT_TRUE(store_->add_waiting({kOwner, conversation_.id, "b", "two", std::nullopt, 0}));
    restart();
    for (int i = 0; i < 100 && !line().empty(); ++i) wait_compute();
    EXPECT_EQ(line(), Texts{});
    EXPECT_EQ(texts(), (Texts{"one", "", "two", "answer", "three", ""}));
    EXPECT_EQ(chat_->running(conversation_.key()), nullptr);
    EXPECT_EQ(backend_.n_calls(), 3U);
}

TEST_F(WaitingTest, AFullDiskLosesNone) {
    const auto first = later("one");
    store_->full = true;
    EXPECT_TRUE(later("two"));
    backend_.emit(call(0), {Text{"answer"}, End{}});
    wait_end(first->feed);
    loop_.run_until([&] { return chat_->running(conversation_.key()) == nullptr; });
    EXPECT_EQ(line(), Texts{"two"}) << "it could not be stored as sent";
    store_->full = false;
    backend_.emit((later("three"), call(1)), {Text{"answer"}, End{}});
    backend_.emit(call(2), {Text{"answer"}, End{}});
    loop_.run_until([&] { return chat_->running(conversation_.key()) == nullptr; });
    EXPECT_EQ(line(), Texts{});
}

}  // namespace
}  // namespace notso::services

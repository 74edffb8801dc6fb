// Asking again for an answer that did not become whole: the old one stays, the new one stands after
// it, and the prompt has the question once.
#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

class RetryTest : public ChatFixture {
  protected:
    RetryTest() { conversation_ = new_conversation(); }

    /// Sends a message whose answer breaks off after `text`; call n of the backend.
    SentMessage fail_answer(std::string question, std::string text, std::size_t n) {
        const auto sent = send(conversation_.id, std::move(question));
        EXPECT_TRUE(sent);
        const End broken{.finish = ChatFinish::kError, .error = Error{ErrorCode::kIo, "cut off"}};
        backend_.emit(backend_.call(n), {Text{std::move(text)}, broken});
        wait_end(sent->feed);
        return *sent;
    }
    Result<SentMessage> retry(const SentMessage& sent) {
        return await<SentMessage>([&](auto done) {
            chat_->retry({.conversation = conversation_.id,
                          .question = sent.user.id,
                          .answer = sent.answer.id,
                          .user = 7},
                         std::move(done));
        });
    }
    std::vector<Message> messages() { return open(conversation_.id)->messages; }

    Conversation conversation_;
};

TEST_F(RetryTest, TheOldAnswerStaysAndANewOneFollows) {
    const SentMessage failed = fail_answer("Why?", "Because", 0);
    const auto again = retry(failed);
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_FALSE(again->repeated);
    EXPECT_EQ(again->user.id, failed.user.id);
    const ChatRequest asked = backend_.call(1)->request;
    ASSERT_EQ(asked.messages.size(), 1U) << "the question, without what was tried";
    EXPECT_EQ(asked.messages[0].content, "Why?");
    EXPECT_EQ(asked.user, 7U);
    backend_.emit(backend_.call(1), {Text{"Because it is so."}, End{}});
    EXPECT_EQ(wait_end(again->feed).parent, failed.user.id);

    const auto all = messages();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[1].text, "Because");
    EXPECT_EQ(all[1].state, MessageState::kFailed);
    EXPECT_EQ(all[1].error, "cut off");
    EXPECT_EQ(all[2].text, "Because it is so.");
    EXPECT_EQ(all[2].parent, failed.user.id);
}

TEST_F(RetryTest, TheNextMessageSeesTheAnswerThatCame) {
    const SentMessage failed = fail_answer("Why?", "Because", 0);
    const auto again = retry(failed);
    backend_.emit(backend_.call(1), {Text{"It is so."}, End{}});
    wait_end(again->feed);
    ask(conversation_.id, "Really?", "Yes.", 2);
    const auto& asked = backend_.call(2)->request.messages;
    ASSERT_EQ(asked.size(), 3U) << "roles alternate";
    EXPECT_EQ(asked[0].content, "Why?");
    EXPECT_EQ(asked[1].content, "It is so.");
    EXPECT_EQ(asked[2].content, "Really?");
    EXPECT_EQ(messages()[3].parent, again->answer.id);
}

TEST_F(RetryTest, ARetryThatFailsWithoutAWordLeavesTheFirstText) {
    const SentMessage failed = fail_answer("Why?", "Because", 0);
    const auto again = retry(failed);
    backend_.emit(backend_.call(1), {End{.finish = ChatFinish::kCancelled}});
    wait_end(again->feed);
    ask(conversation_.id, "Well?", "So.", 2);
    EXPECT_EQ(backend_.call(2)->request.messages[1].content, "Because");
}

TEST_F(RetryTest, ClickedTwiceAsksOnce) {
    const SentMessage failed = fail_answer("Why?", "", 0);
    const auto first = retry(failed);
    const auto second = retry(failed);
    ASSERT_TRUE(second) << second.error().detail;
    EXPECT_TRUE(second->repeated);
    EXPECT_EQ(second->answer.id, first->answer.id);
    EXPECT_EQ(second->feed, first->feed);
    backend_.emit(backend_.call(1), {Text{"So."}, End{}});
    wait_end(first->feed);
    const auto third = retry(failed);
    ASSERT_TRUE(third) << third.error().detail;
    EXPECT_EQ(third->answer.text, "So.");
    EXPECT_EQ(messages().size(), 3U);
    EXPECT_EQ(backend_.n_calls(), 2U);
}

TEST_F(RetryTest, OnlyTheLastUnfinishedAnswerOfItsQuestion) {
    const SentMessage failed = fail_answer("Why?", "Because", 0);
    auto wrong = failed;
    wrong.user.id = {"nobody"};
    EXPECT_EQ(retry(wrong).error().code, ErrorCode::kNotFound);
    wrong = failed;
    wrong.answer.id = failed.user.id;
    EXPECT_EQ(retry(wrong).error().code, ErrorCode::kNotFound);
    const auto whole = send(conversation_.id, "Next");
    EXPECT_EQ(retry(failed).error().code, ErrorCode::kBusy);
    backend_.emit(backend_.call(1), {Text{"fine"}, End{}});
    wait_end(whole->feed);
    EXPECT_EQ(retry(failed).error().code, ErrorCode::kInvalidArgument) << "the talk went on";
    EXPECT_EQ(retry(*whole).error().code, ErrorCode::kInvalidArgument) << "nothing to retry";
    EXPECT_EQ(messages().size(), 4U);
    EXPECT_EQ(open(conversation_.id)->running, nullptr);
    conversation_.id = {"elsewhere"};
    EXPECT_EQ(retry(failed).error().code, ErrorCode::kNotFound);
}

TEST_F(RetryTest, NothingIsLostWhenTheDiskIsFull) {
    const SentMessage failed = fail_answer("Why?", "Because", 0);
    store_->full = true;
    EXPECT_EQ(retry(failed).error().code, ErrorCode::kIo);
    store_->full = false;
    EXPECT_EQ(messages().size(), 2U);
    EXPECT_TRUE(retry(failed)) << "it can be tried again";
}

TEST_F(RetryTest, AMessageSentTwiceFindsItsNewestAnswer) {
    const auto sent = send(conversation_.id, "Why?", "client");
    backend_.emit(backend_.call(0), {End{.finish = ChatFinish::kCancelled}});
    wait_end(sent->feed);
    const auto again = retry(*sent);
    const auto repeated = send(conversation_.id, "Why?", "client");
    ASSERT_TRUE(repeated);
    EXPECT_EQ(repeated->answer.id, again->answer.id);
}

}  // namespace
}  // namespace notso::services

// Answers again, questions again, and the way between versions: the old ones stay, the prompt has
// the path that is shown.
#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

class TreeTest : public ChatFixture {
  protected:
    TreeTest() { conversation_ = new_conversation(); }

    /// Sends a message whose answer breaks off after `text`; call n of the backend.
    SentMessage fail_answer(std::string question, std::string text, std::size_t n) {
        const auto sent = send(conversation_.id, std::move(question));
        EXPECT_TRUE(sent);
        const End broken{.finish = ChatFinish::kError, .error = Error{ErrorCode::kIo, "cut off"}};
        backend_.emit(backend_.call(n), {Text{std::move(text)}, broken});
        wait_end(sent->feed);
        return *sent;
    }
    SentMessage say(std::string question, std::string text, std::size_t n) {
        const auto sent = send(conversation_.id, std::move(question));
        EXPECT_TRUE(sent);
        backend_.emit(backend_.call(n), {Text{std::move(text)}, End{}});
        wait_end(sent->feed);
        return *sent;
    }
    Result<SentMessage> regenerate(const SentMessage& sent, std::string client_id = "") {
        return await<SentMessage>([&](auto done) {
            chat_->regenerate({.conversation = conversation_.key(),
                               .question = sent.user.id,
                               .answer = sent.answer.id,
                               .client_id = std::move(client_id),
                               .user = 7},
                              std::move(done));
        });
    }
    /// A whole other answer; call n of the backend.
    SentMessage answer_again(const SentMessage& sent, std::string text, std::size_t n) {
        const auto again = regenerate(sent);
        EXPECT_TRUE(again);
        backend_.emit(backend_.call(n), {Text{std::move(text)}, End{}});
        wait_end(again->feed);
        return *again;
    }
    Result<SentMessage> edit(const MessageId& message, std::string text) {
        return await<SentMessage>([&](auto done) {
            chat_->send(
                {.conversation = conversation_.key(), .text = std::move(text), .edits = message},
                std::move(done));
        });
    }
    Result<> show(const MessageId& message) {
        return await<void>(
            [&](auto done) { chat_->show_version(conversation_.key(), message, std::move(done)); });
    }
    Result<> remove(const MessageId& message) {
        return await<void>([&](auto done) {
            chat_->remove_message(conversation_.key(), message, std::move(done));
        });
    }
    /// What is shown, in one line.
    std::string shown() {
        std::string line;
        const auto view = open(conversation_.id);
        for (const Message& message : view->messages) line += message.text + "|";
        return line;
    }
    static std::string said(const ChatRequest& request) {
        std::string line;
        for (const ChatMessage& message : request.messages) line += message.content + "|";
        return line;
    }

    Conversation conversation_;
};

TEST_F(TreeTest, AnotherAnswerStandsBesideTheOldOne) {
    const SentMessage failed = fail_answer("Why?", "Because", 0);
    const auto again = regenerate(failed);
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_FALSE(again->repeated);
    EXPECT_EQ(again->user.id, failed.user.id);
    EXPECT_EQ(said(backend_.call(1)->request), "Why?|") << "the question, without what was tried";
    EXPECT_EQ(backend_.call(1)->request.user, 7U);
    backend_.emit(backend_.call(1), {Text{"Because it is so."}, End{}});
    EXPECT_EQ(wait_end(again->feed).parent, failed.user.id);

    const auto view = open(conversation_.id);
    EXPECT_EQ(shown(), "Why?|Because it is so.|");
    ASSERT_EQ(view->versions.size(), 2U);
    EXPECT_EQ(view->versions[0].ids.size(), 1U);
    EXPECT_EQ(view->versions[1].ids, (std::vector{failed.answer.id, again->answer.id}));
    EXPECT_EQ(view->versions[1].index, 1U);
    ASSERT_TRUE(show(failed.answer.id));
    const auto old = open(conversation_.id)->messages;
    EXPECT_EQ(old[1].text, "Because");
    EXPECT_EQ(old[1].state, MessageState::kFailed);
    EXPECT_EQ(old[1].error, "cut off");
}

TEST_F(TreeTest, TheNextMessageSeesTheAnswerThatIsShown) {
    const SentMessage first = say("Why?", "So.", 0);
    answer_again(first, "It is so.", 1);
    ASSERT_TRUE(show(first.answer.id));
    say("Really?", "Yes.", 2);
    EXPECT_EQ(said(backend_.call(2)->request), "Why?|So.|Really?|");
    EXPECT_EQ(shown(), "Why?|So.|Really?|Yes.|");
}

TEST_F(TreeTest, AWholeAnswerInTheMiddleToo) {
    const SentMessage first = say("one", "1", 0);
    say("two", "2", 1);
    const SentMessage again = answer_again(first, "I", 2);
    EXPECT_EQ(said(backend_.call(2)->request), "one|");
    EXPECT_EQ(shown(), "one|I|") << "what followed the old answer is below it";
    ASSERT_TRUE(show(first.answer.id));
    EXPECT_EQ(shown(), "one|1|two|2|");
    ASSERT_TRUE(show(again.answer.id));
    EXPECT_EQ(shown(), "one|I|");
}

TEST_F(TreeTest, AnEditedQuestionBeginsAnotherPath) {
    say("one", "1", 0);
    const SentMessage second = say("two", "2", 1);
    say("three", "3", 2);
    const auto edited = edit(second.user.id, "TWO");
    ASSERT_TRUE(edited) << edited.error().detail;
    EXPECT_EQ(said(backend_.call(3)->request), "one|1|TWO|");
    backend_.emit(backend_.call(3), {Text{"II"}, End{}});
    wait_end(edited->feed);
    EXPECT_EQ(shown(), "one|1|TWO|II|");
    EXPECT_EQ(open(conversation_.id)->versions[2].index, 1U);
    ASSERT_TRUE(show(second.user.id));
    EXPECT_EQ(shown(), "one|1|two|2|three|3|") << "the newest path through it";
}

TEST_F(TreeTest, TheFirstQuestionCanBeEdited) {
    const SentMessage first = say("one", "1", 0);
    const auto edited = edit(first.user.id, "ONE");
    ASSERT_TRUE(edited);
    EXPECT_EQ(said(backend_.call(1)->request), "ONE|");
    EXPECT_FALSE(edited->user.parent);
    backend_.emit(backend_.call(1), {Text{"I"}, End{}});
    wait_end(edited->feed);
    EXPECT_EQ(shown(), "ONE|I|");
    EXPECT_EQ(open(conversation_.id)->versions[0].ids.size(), 2U);
    EXPECT_EQ(edit(first.answer.id, "x").error().code, ErrorCode::kNotFound) << "no question";
}

TEST_F(TreeTest, APersonsVersionOfAnAnswerIsWhatTheModelSaid) {
    const SentMessage first = say("one", "1", 0);
    const auto revised = await<Message>([&](auto done) {
        chat_->revise({conversation_.key(), first.answer.id, "uno"}, std::move(done));
    });
    ASSERT_TRUE(revised) << revised.error().detail;
    EXPECT_EQ(shown(), "one|uno|");
    say("two", "2", 1);
    EXPECT_EQ(said(backend_.call(1)->request), "one|uno|two|");
    for (const auto& [text, code] : {std::pair{"  ", ErrorCode::kInvalidArgument},
                                     std::pair{"\xff", ErrorCode::kInvalidArgument}}) {
        const auto refused = await<Message>([&](auto done) {
            chat_->revise({conversation_.key(), first.answer.id, text}, std::move(done));
        });
        EXPECT_EQ(refused.error().code, code);
    }
}

TEST_F(TreeTest, AQuestionGoesWithItsAnswersAndTheRestStays) {
    say("one", "1", 0);
    const SentMessage second = say("two", "2", 1);
    answer_again(second, "II", 2);
    say("three", "3", 3);
    ASSERT_TRUE(remove(second.user.id));
    EXPECT_EQ(shown(), "one|1|three|3|");
    EXPECT_EQ(open(conversation_.id)->versions[2].ids.size(), 1U);
    EXPECT_EQ(remove(second.user.id).error().code, ErrorCode::kNotFound);
}

TEST_F(TreeTest, AnAnswerGoesAlone) {
    const SentMessage first = say("one", "1", 0);
    const SentMessage again = answer_again(first, "I", 1);
    ASSERT_TRUE(remove(again.answer.id));
    EXPECT_EQ(shown(), "one|") << "the question without an answer; the other one is a turn away";
    ASSERT_TRUE(show(first.answer.id));
    EXPECT_EQ(shown(), "one|1|");
}

TEST_F(TreeTest, NothingChangesWhileAnAnswerRuns) {
    const SentMessage first = say("one", "1", 0);
    const auto running = send(conversation_.id, "two");
    EXPECT_EQ(show(first.answer.id).error().code, ErrorCode::kBusy);
    EXPECT_EQ(remove(first.answer.id).error().code, ErrorCode::kBusy);
    EXPECT_EQ(regenerate(first).error().code, ErrorCode::kBusy);
    EXPECT_EQ(edit(first.user.id, "x").error().code, ErrorCode::kBusy);
    backend_.emit(backend_.call(1), {Text{"2"}, End{}});
    wait_end(running->feed);
    EXPECT_EQ(shown(), "one|1|two|2|");
}

TEST_F(TreeTest, ARetryThatFailsWithoutAWordIsNotInThePrompt) {
    const SentMessage failed = fail_answer("Why?", "Because", 0);
    const auto again = regenerate(failed);
    backend_.emit(backend_.call(1), {End{.finish = ChatFinish::kCancelled}});
    wait_end(again->feed);
    say("Well?", "So.", 2);
    EXPECT_EQ(said(backend_.call(2)->request), "Well?|");
}

TEST_F(TreeTest, ClickedTwiceAsksOnce) {
    const SentMessage failed = fail_answer("Why?", "", 0);
    const auto first = regenerate(failed, "click");
    const auto second = regenerate(failed, "click");
    ASSERT_TRUE(second) << second.error().detail;
    EXPECT_TRUE(second->repeated);
    EXPECT_EQ(second->answer.id, first->answer.id);
    EXPECT_EQ(second->user.id, failed.user.id);
    EXPECT_EQ(second->feed, first->feed);
    backend_.emit(backend_.call(1), {Text{"So."}, End{}});
    wait_end(first->feed);
    const auto third = regenerate(failed, "click");
    ASSERT_TRUE(third) << third.error().detail;
    EXPECT_EQ(third->answer.text, "So.");
    EXPECT_EQ(backend_.n_calls(), 2U);
}

TEST_F(TreeTest, WhatIsNotThereIsNamed) {
    const SentMessage first = say("one", "1", 0);
    auto wrong = first;
    wrong.user.id = {"nobody"};
    EXPECT_EQ(regenerate(wrong).error().code, ErrorCode::kNotFound);
    wrong = first;
    wrong.answer.id = first.user.id;
    EXPECT_EQ(regenerate(wrong).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(regenerate(first, std::string(129, 'x')).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(show({"nobody"}).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(edit({"nobody"}, "x").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(open(conversation_.id)->running, nullptr);
    const MessageId foreign = first.answer.id;
    conversation_ = new_conversation();
    EXPECT_EQ(show(foreign).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(remove(foreign).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(regenerate(first).error().code, ErrorCode::kNotFound);
}

TEST_F(TreeTest, NothingIsLostWhenTheDiskIsFull) {
    const SentMessage failed = fail_answer("Why?", "Because", 0);
    store_->full = true;
    EXPECT_EQ(regenerate(failed).error().code, ErrorCode::kIo);
    store_->full = false;
    EXPECT_EQ(shown(), "Why?|Because|");
    EXPECT_TRUE(regenerate(failed)) << "it can be tried again";
}

TEST_F(TreeTest, AMessageSentTwiceFindsItsNewestAnswer) {
    const auto sent = send(conversation_.id, "Why?", "client");
    backend_.emit(backend_.call(0), {End{.finish = ChatFinish::kCancelled}});
    wait_end(sent->feed);
    const auto again = regenerate(*sent);
    const auto repeated = send(conversation_.id, "Why?", "client");
    ASSERT_TRUE(repeated);
    EXPECT_EQ(repeated->answer.id, again->answer.id);
}

}  // namespace
}  // namespace notso::services

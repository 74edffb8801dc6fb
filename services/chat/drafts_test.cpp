// What is typed is read ahead: which request is made, what takes its place, what gives it up, and
// that nothing of it is kept.
#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

class DraftsTest : public ChatFixture {
  protected:
    DraftsTest() {
        background_ = true;
        restart();
        conversation_ = new_conversation();
        const Message answer = ask(conversation_.id, "What is the capital of France?", "Paris.", 0);
        EXPECT_EQ(answer.text, "Paris.");
        // What follows an answer is not the subject here.
        backend_.emit(wait_call(1), {End{.finish = ChatFinish::kCancelled}});
        EXPECT_TRUE(await<void>(
            [&](auto done) { chat_->when_settled(conversation_.key(), std::move(done)); }));
    }
    Result<> draft(std::string text, bool thinking = false) {
        auto read = await<void>([&](auto done) {
            chat_->read_draft({.conversation = conversation_.key(),
                               .text = std::move(text),
                               .thinking = thinking,
                               .user = 7},
                              std::move(done));
        });
        wait_compute();
        return read;
    }
    std::shared_ptr<FakeBackend::Call> wait_call(std::size_t n) {
        while (backend_.n_calls() <= n) wait_compute();
        return backend_.call(n);
    }

    Conversation conversation_;
};

TEST_F(DraftsTest, IsReadAsTheNewestMessage) {
    ASSERT_TRUE(draft("And which one is that of Italy", true));
    ASSERT_EQ(backend_.n_calls(), 3U);
    const ChatRequest asked = backend_.call(2)->request;
    EXPECT_TRUE(asked.read_only);
    EXPECT_EQ(asked.priority, ChatPriority::kBackground);
    EXPECT_TRUE(asked.thinking);
    EXPECT_EQ(asked.user, 7U);
    EXPECT_EQ(asked.date, backend_.call(0)->request.date) << "the same beginning";
    ASSERT_EQ(asked.messages.size(), 3U);
    EXPECT_EQ(asked.messages[1].content, "Paris.");
    EXPECT_EQ(asked.messages[2].content, "And which one is that of Italy");
    EXPECT_EQ(open(conversation_.id)->messages.size(), 2U) << "nothing is kept";
}

TEST_F(DraftsTest, TheNewerOneTakesThePlace) {
    ASSERT_TRUE(draft("And which"));
    ASSERT_TRUE(draft("And which one is"));
    wait_cancelled(*backend_.call(2));
    EXPECT_EQ(wait_call(3)->request.messages[2].content, "And which one is");
    ASSERT_TRUE(draft(" \n"));
    wait_cancelled(*backend_.call(3));
    EXPECT_EQ(backend_.n_calls(), 4U) << "an emptied composer: nothing to read";
}

TEST_F(DraftsTest, IsGivenUpWhenAnybodySends) {
    ASSERT_TRUE(draft("And which one"));
    const Conversation other = new_conversation();
    const auto sent = send(other.id, "Hello");
    ASSERT_TRUE(sent);
    wait_cancelled(*backend_.call(2));
    wait_call(3);
    ASSERT_TRUE(draft("And which one is"));
    EXPECT_EQ(backend_.n_calls(), 4U) << "not while an answer is written";
}

TEST_F(DraftsTest, IsGivenUpWithItsConversation) {
    ASSERT_TRUE(draft("And which one"));
    EXPECT_TRUE(remove(conversation_.id));
    wait_cancelled(*backend_.call(2));
    EXPECT_EQ(draft("And").error().code, ErrorCode::kNotFound);
}

TEST_F(DraftsTest, OnlyOfAnIdleLocalModelThatIsLoaded) {
    backend_.busy = 1;
    ASSERT_TRUE(draft("And which one"));
    backend_.busy = 0;
    backend_.remote_host = "example.com";
    ASSERT_TRUE(draft("And which one"));
    backend_.remote_host = "";
    backend_.place = ModelPlace::kOnDisk;
    ASSERT_TRUE(draft("And which one"));
    EXPECT_EQ(backend_.n_calls(), 2U);
    backend_.place = ModelPlace::kReady;
    ASSERT_TRUE(draft("And which one"));
    EXPECT_EQ(backend_.n_calls(), 3U);
}

TEST_F(DraftsTest, NotWhenItIsOff) {
    EXPECT_TRUE(chat_->reads_drafts());
    background_ = false;
    restart();
    EXPECT_FALSE(chat_->reads_drafts());
    ASSERT_TRUE(draft("And which one"));
    EXPECT_EQ(backend_.n_calls(), 2U);
}

TEST_F(DraftsTest, IsCheckedAsAMessage) {
    EXPECT_TRUE(draft(std::string(256 * 1024, 'x')));
    EXPECT_EQ(draft(std::string(256 * 1024 + 1, 'x')).error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(draft("\xFF").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace notso::services

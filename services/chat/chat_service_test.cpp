// What a person can do: send, read, send again, change, clear, delete.
#include "services/chat/chat_service.hpp"

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
    EXPECT_EQ(chat_->running(conversation.id), sent->feed);
    EXPECT_EQ(chat_->feed(sent->answer.id), sent->feed);

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
    EXPECT_EQ(chat_->running(conversation.id), nullptr);
    EXPECT_EQ(chat_->feed(sent->answer.id), sent->feed) << "kept for replay";

    const auto view = open(conversation.id);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->conversation.title, "What is the capital of France?");
    ASSERT_EQ(view->messages.size(), 2u);
    EXPECT_EQ(view->messages[1].text, "Paris");
    EXPECT_EQ(view->messages[1].state, MessageState::kComplete);
    EXPECT_EQ(view->running, nullptr);
}

}  // namespace
}  // namespace notso::services

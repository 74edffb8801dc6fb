// The whole service tier together: the scripted backend in real time, and a database on disk.
#include <gtest/gtest.h>

#include "services/chat/server_process.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

class ChatOnDisk : public testing::Test {
  protected:
    inline static const OwnerId kOwner = local_owner();

    template <class T, class Start>
    Result<T> await(Start start) {
        return process_->await<T>(start);
    }
    ConversationId new_conversation() {
        return (*await<Conversation>([&](auto done) {
                   process_->chat->create_conversation(kOwner, std::move(done));
               }))
            .id;
    }
    SentMessage send(const ConversationId& id, std::string text) {
        auto sent = await<SentMessage>([&](auto done) {
            process_->chat->send({.conversation = {kOwner, id}, .text = std::move(text)},
                                 std::move(done));
        });
        EXPECT_TRUE(sent) << sent.error().detail;
        return *std::move(sent);
    }
    std::vector<Message> messages(const ConversationId& id) {
        return (*await<ConversationView>(
                    [&](auto done) { process_->chat->open({kOwner, id}, std::move(done)); }))
            .messages;
    }
    Message wait_end(const std::shared_ptr<TurnFeed>& feed) {
        process_->loop.run_until([&] { return feed->ended(); });
        return *feed->snapshot().ended;
    }
    void restart() {
        process_.reset();
        process_ = begin_process();
    }

    const TempDirectory temp_;
    std::unique_ptr<ServerProcess> begin_process() {
        return std::make_unique<ServerProcess>(temp_.path(), std::chrono::milliseconds(1));
    }
    std::unique_ptr<ServerProcess> process_ = begin_process();
};

TEST_F(ChatOnDisk, AnswersSurviveARestartByteForByte) {
    const ConversationId id = new_conversation();
    const Message thought = wait_end(send(id, "[think] why?").feed);
    EXPECT_EQ(thought.state, MessageState::kComplete);
    EXPECT_GT(thought.stats.completion_tokens, 0);
    const Message hostile = wait_end(send(id, "[hostile]").feed);
    const Message failed = wait_end(send(id, "[error]").feed);
    EXPECT_EQ(failed.state, MessageState::kFailed);
    EXPECT_NE(failed.error, "");
    restart();
    const auto kept = messages(id);
    ASSERT_EQ(kept.size(), 6u);
    std::size_t at = 1;
    for (const Message& answer : {thought, hostile, failed}) {
        EXPECT_EQ(kept[at].id, answer.id);
        EXPECT_EQ(kept[at].state, answer.state);
        EXPECT_EQ(kept[at].text, answer.text);
        EXPECT_EQ(kept[at].thinking, answer.thinking);
        EXPECT_EQ(kept[at].error, answer.error);
        at += 2;
    }
}

TEST_F(ChatOnDisk, AnAnswerCutByTheProcessIsThereAsFarAsItWasShown) {
    const ConversationId id = new_conversation();
    const SentMessage sent = send(id, "[long 5000]");
    process_->loop.run_until([&] { return sent.feed->snapshot().text.size() > 300; });
    const std::string shown = sent.feed->snapshot().text;
    restart();
    const auto kept = messages(id);
    ASSERT_EQ(kept.size(), 2u);
    EXPECT_EQ(kept[1].state, MessageState::kInterrupted);
    EXPECT_TRUE(kept[1].text.starts_with(shown));
}

TEST_F(ChatOnDisk, StopKeepsWhatWasShownAndFreesTheConversation) {
    const ConversationId id = new_conversation();
    const SentMessage sent = send(id, "[long 5000]");
    process_->loop.run_until([&] { return sent.feed->snapshot().text.size() > 300; });
    ASSERT_TRUE(
        await<void>([&](auto done) { process_->chat->stop({kOwner, id}, std::move(done)); }));
    const Message end = *sent.feed->snapshot().ended;
    EXPECT_EQ(end.state, MessageState::kStopped);
    EXPECT_GT(end.text.size(), 300u);
    EXPECT_EQ(messages(id)[1].text, end.text);
    EXPECT_EQ(wait_end(send(id, "hello").feed).state, MessageState::kComplete);
}

TEST_F(ChatOnDisk, SeveralConversationsAnswerAtOnce) {
    std::vector<SentMessage> sent;
    for (int i = 0; i < 8; ++i) sent.push_back(send(new_conversation(), "[long 60]"));
    for (const SentMessage& one : sent) {
        const Message end = wait_end(one.feed);
        EXPECT_EQ(end.state, MessageState::kComplete) << end.error;
        EXPECT_EQ(messages(one.user.conversation)[1].text, one.feed->snapshot().text);
    }
}

}  // namespace
}  // namespace notso::services

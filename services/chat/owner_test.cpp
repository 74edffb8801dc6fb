// What somebody else runs can't be seen, stopped or disturbed through the service, whoever knows
// its ids.
#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

const OwnerId kBert{"bert"};

class OwnerTest : public ChatFixture {
  protected:
    template <class T>
    static bool not_found(const Result<T>& result) {
        return !result && result.error().code == ErrorCode::kNotFound;
    }
    /// Her conversation, as somebody else asks for it.
    ConversationKey his() const { return {kBert, hers_.id}; }

    const Conversation hers_ = new_conversation();
};

TEST_F(OwnerTest, ARunningAnswerBelongsToItsOwner) {
    const auto sent = send(hers_.id, "question", "k");
    backend_.emit(backend_.call(0), {Text{"half"}});
    wait_text(sent->feed, "half");
    EXPECT_EQ(chat_->feed(his(), sent->answer.id), nullptr);
    EXPECT_EQ(chat_->running(his()), nullptr);
    EXPECT_TRUE(not_found(send({.conversation = his(), .text = "mine", .client_id = "k"})));
    EXPECT_TRUE(not_found(await<void>([&](auto done) { chat_->remove(his(), std::move(done)); })));
    EXPECT_TRUE(not_found(await<void>([&](auto done) { chat_->clear(his(), std::move(done)); })));
    EXPECT_TRUE(not_found(await<void>([&](auto done) { chat_->erase(his(), std::move(done)); })));
    EXPECT_TRUE(not_found(await<void>([&](auto done) {
        chat_->decide_tool({his(), "call-1", ToolDecision::kAllowAlways}, std::move(done));
    })));
    await<void>([&](auto done) { chat_->stop(his(), std::move(done)); });
    await<void>([&](auto done) { chat_->answer_now(his(), std::move(done)); });
    EXPECT_FALSE(sent->feed->ended()) << "nobody else ends it";
    backend_.emit(backend_.call(0), {Text{" and half"}, End{}});
    EXPECT_EQ(wait_end(sent->feed).text, "half and half");
    EXPECT_EQ(chat_->feed(his(), sent->answer.id), nullptr) << "nor replays it";
    EXPECT_NE(chat_->feed(hers_.key(), sent->answer.id), nullptr);
}

TEST_F(OwnerTest, AForeignSendDoesNotKeepTheOwnerFromSending) {
    std::optional<Result<SentMessage>> foreign;
    chat_->send({.conversation = his(), .text = "mine"},
                [&](Result<SentMessage> result) { foreign = std::move(result); });
    const auto sent = send(hers_.id, "question");
    EXPECT_TRUE(sent) << "it does not wait for theirs";
    ASSERT_TRUE(foreign.has_value());
    EXPECT_TRUE(not_found(*foreign));
    backend_.emit(backend_.call(0), {End{}});
    wait_end(sent->feed);
    EXPECT_EQ(open(hers_.id)->messages.size(), 2u);
}

TEST_F(OwnerTest, EverybodyListsTheirOwn) {
    const auto listed = [&](const OwnerId& owner) {
        return await<std::vector<Conversation>>(
                   [&](auto done) { chat_->list_conversations(owner, std::move(done)); })
            ->size();
    };
    ASSERT_TRUE(await<Conversation>(
        [&](auto done) { chat_->create_conversation(kBert, std::move(done)); }));
    EXPECT_EQ(listed(kOwner), 1u);
    EXPECT_EQ(listed(kBert), 1u);
    EXPECT_EQ(listed({"carl"}), 0u);
}

}  // namespace
}  // namespace notso::services

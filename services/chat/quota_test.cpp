// How much one owner may take of a shared server.
#include "services/chat/quota.hpp"

#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

const OwnerId kAnna{"anna"};

class QuotaTest : public ChatFixture {
  protected:
    void start(Quota quota) {
        chat_.reset();
        chat_ = ChatService::create({.backend = backend_,
                                     .store = *store_,
                                     .io = loop_,
                                     .database = *database_,
                                     .compute = *compute_,
                                     .quota = quota});
    }
    Result<Conversation> create(const OwnerId& owner) {
        return await<Conversation>(
            [&](auto done) { chat_->create_conversation(owner, std::move(done)); });
    }
    Result<SentMessage> say(const Conversation& conversation, std::string text = "hello") {
        return send({.conversation = conversation.key(), .text = std::move(text)});
    }
};

template <class T>
ErrorCode code_of(const Result<T>& result) {
    return result ? ErrorCode::kInternal : result.error().code;
}

TEST_F(QuotaTest, SoManyConversations) {
    start({.conversations = 2});
    const auto first = create(kAnna);
    ASSERT_TRUE(create(kAnna));
    const auto refused = create(kAnna);
    EXPECT_EQ(code_of(refused), ErrorCode::kPermissionDenied);
    EXPECT_TRUE(refused.error().detail.contains("you have 2 conversations"));
    EXPECT_TRUE(create({"bert"})) << "each has their own";
    ASSERT_TRUE(await<void>([&](auto done) { chat_->erase(first->key(), std::move(done)); }));
    EXPECT_TRUE(create(kAnna));
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(create(kOwner)) << "none on one's own machine";
}

TEST_F(QuotaTest, SoMuchText) {
    start({.bytes = 100});
    const auto conversation = *create(kAnna);
    const auto sent = say(conversation, std::string(60, 'a'));
    backend_.emit(backend_.call(0), {Text{std::string(40, 'b')}, End{}});
    wait_end(sent->feed);
    const auto refused = say(conversation);
    EXPECT_EQ(code_of(refused), ErrorCode::kPermissionDenied);
    EXPECT_TRUE(refused.error().detail.contains("delete some first"));
    EXPECT_EQ(code_of(await<Message>([&](auto done) {
                  chat_->revise({conversation.key(), sent->answer.id, "x"}, std::move(done));
              })),
              ErrorCode::kPermissionDenied);
    EXPECT_EQ(chat_->running(conversation.key()), nullptr);
    ASSERT_TRUE(await<void>([&](auto done) { chat_->clear(conversation.key(), std::move(done)); }));
    const auto again = say(conversation);
    ASSERT_TRUE(again);
    backend_.emit(backend_.call(1), {End{}});
    wait_end(again->feed);
}

TEST_F(QuotaTest, SoManyAnswersAtOnce) {
    start({.running = 2});
    const auto one = say(*create(kAnna));
    const auto two = say(*create(kAnna));
    const auto third = *create(kAnna);
    const auto refused = say(third);
    EXPECT_EQ(code_of(refused), ErrorCode::kBusy);
    EXPECT_TRUE(refused.error().detail.contains("2 answers of yours"));
    EXPECT_TRUE(say(*create({"bert"})));
    backend_.emit(backend_.call(0), {End{}});
    wait_end(one->feed);
    EXPECT_TRUE(say(third));
}

}  // namespace
}  // namespace notso::services

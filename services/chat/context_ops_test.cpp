// The ledger, summaries and messages that can't fit, as the chat service offers them.
#include "services/chat/chat_fixture.hpp"
#include "services/chat/compaction.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

class ContextOpsTest : public ChatFixture {
  protected:
    /// Answers that many questions of `size` characters at length `size`.
    void talk(std::size_t count, std::size_t size) {
        for (std::size_t i = 0; i < count; ++i)
            ask(conversation_.id, std::string(size, 'q'), std::string(size, 'a'), n_calls_++);
    }
    Result<ContextLedger> ledger() {
        return await<ContextLedger>(
            [this](auto done) { chat_->context(conversation_.key(), std::move(done)); });
    }
    /// Begins to summarise; `ended_` holds how it ended.
    void compact() {
        chat_->compact({conversation_.key(), 7},
                       [this](Result<> ended) { ended_.emplace(std::move(ended)); });
    }
    Result<> wait_compacted() {
        loop_.run_until([this] { return ended_.has_value(); });
        return *std::exchange(ended_, std::nullopt);
    }
    std::shared_ptr<FakeBackend::Call> next_call() {
        while (backend_.n_calls() <= n_calls_) wait_compute();
        return backend_.call(n_calls_++);
    }
    void reply(std::string text, ChatFinish finish = ChatFinish::kStop) {
        backend_.emit(next_call(), {Text{std::move(text)}, End{.finish = finish}});
    }

    Conversation conversation_ = new_conversation();
    std::size_t n_calls_ = 0;
    std::optional<Result<>> ended_;
};

TEST_F(ContextOpsTest, ASummaryTakesThePlaceOfWhatItTells) {
    talk(3, 50);
    compact();
    const auto asked = next_call();
    ASSERT_EQ(asked->request.messages.size(), 5U);
    EXPECT_EQ(asked->request.messages.back().content, kSummaryInstruction);
    EXPECT_EQ(asked->request.priority, ChatPriority::kInteractive);
    EXPECT_EQ(asked->request.user, 7U);
    EXPECT_GT(asked->request.max_tokens, 0);
    backend_.emit(asked, {Text{" They spoke. "}, End{}});
    const Result<> compacted = wait_compacted();
    ASSERT_TRUE(compacted) << compacted.error().detail;

    const auto found = ledger();
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(found->summary, "They spoke.");
    EXPECT_EQ(found->rows[3].fate, LedgerFate::kSummarised);
    EXPECT_EQ(found->rows[4].fate, LedgerFate::kKept);
    const auto view = open(conversation_.id);
    EXPECT_EQ(view->messages.size(), 6U) << "what was said stays as it is";
    EXPECT_EQ(view->context.summarised, 4);
    EXPECT_EQ(view->context.used, found->total);

    const auto sent = send(conversation_.id, "next");
    ASSERT_TRUE(sent);
    const ChatRequest next = next_call()->request;
    ASSERT_EQ(next.messages.size(), 4U);
    EXPECT_EQ(next.messages[0].role, "system");
    EXPECT_TRUE(next.messages[0].content.ends_with("They spoke."));
    EXPECT_EQ(next.messages[3].content, "next");
    stop(conversation_.id);
}

TEST_F(ContextOpsTest, ThereMustBeSomethingToSummarise) {
    compact();
    EXPECT_EQ(wait_compacted().error().code, ErrorCode::kInvalidArgument);
    talk(1, 50);
    compact();
    EXPECT_EQ(wait_compacted().error().code, ErrorCode::kInvalidArgument);
    chat_->compact({{kOwner, {"0"}}, 7},
                   [this](Result<> ended) { ended_.emplace(std::move(ended)); });
    EXPECT_EQ(wait_compacted().error().code, ErrorCode::kNotFound);
    const ConversationKey foreign({"somebody"}, conversation_.id);
    chat_->compact({foreign, 7}, [this](Result<> ended) { ended_.emplace(std::move(ended)); });
    EXPECT_EQ(wait_compacted().error().code, ErrorCode::kNotFound);
    const auto hidden =
        await<ContextLedger>([&](auto done) { chat_->context(foreign, std::move(done)); });
    EXPECT_EQ(hidden.error().code, ErrorCode::kNotFound);
}

TEST_F(ContextOpsTest, OneAtATimeAndNotBesideAnAnswer) {
    talk(2, 50);
    compact();
    const auto asked = next_call();
    EXPECT_EQ(await<void>(
                  [this](auto done) { chat_->compact({conversation_.key(), 7}, std::move(done)); })
                  .error()
                  .code,
              ErrorCode::kBusy);
    backend_.emit(asked, {Text{"told"}, End{}});
    EXPECT_TRUE(wait_compacted());
    ASSERT_TRUE(send(conversation_.id, "next"));
    compact();
    EXPECT_EQ(wait_compacted().error().code, ErrorCode::kBusy);
    stop(conversation_.id);
}

TEST_F(ContextOpsTest, StopEndsASummaryThatSomebodyAskedFor) {
    talk(2, 50);
    compact();
    const auto asked = next_call();
    EXPECT_TRUE(stop(conversation_.id));
    EXPECT_EQ(wait_compacted().error().code, ErrorCode::kCancelled);
    wait_cancelled(*asked);
    EXPECT_EQ(ledger()->summary, "");
    compact();
    reply("They spoke.");
    EXPECT_TRUE(wait_compacted());
    EXPECT_EQ(ledger()->summary, "They spoke.");
}

TEST_F(ContextOpsTest, AModelThatWritesNothingChangesNothing) {
    talk(2, 50);
    for (const ChatFinish finish : {ChatFinish::kStop, ChatFinish::kError}) {
        compact();
        reply(" \n", finish);
        EXPECT_EQ(wait_compacted().error().code, ErrorCode::kUnavailable);
    }
    EXPECT_EQ(ledger()->summary, "");
}

TEST_F(ContextOpsTest, DeletingTheMessagesEndsIt) {
    talk(2, 50);
    compact();
    const auto asked = next_call();
    ASSERT_TRUE(clear(conversation_.id));
    EXPECT_EQ(wait_compacted().error().code, ErrorCode::kNotFound);
    wait_cancelled(*asked);
    EXPECT_TRUE(store_->summaries(conversation_.key())->empty());
}

TEST_F(ContextOpsTest, ShutdownEndsIt) {
    talk(2, 50);
    compact();
    next_call();
    ASSERT_TRUE(await<void>([this](auto done) { chat_->shut_down(0, std::move(done)); }));
    EXPECT_EQ(wait_compacted().error().code, ErrorCode::kUnavailable);
}

TEST_F(ContextOpsTest, ADeletedMessageTakesTheSummaryWithIt) {
    talk(3, 50);
    compact();
    reply("told");
    ASSERT_TRUE(wait_compacted());
    const MessageId last = open(conversation_.id)->messages.back().id;
    ASSERT_TRUE(await<void>(
        [&](auto done) { chat_->remove_message(conversation_.key(), last, std::move(done)); }));
    EXPECT_EQ(ledger()->summary, "");
}

TEST_F(ContextOpsTest, AMessageThatCantFitIsRefusedBeforeItIsStored) {
    talk(1, 50);
    const auto refused = send(conversation_.id, std::string(937, 'n'));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kContextLength);
    EXPECT_TRUE(refused.error().detail.contains("937"));
    EXPECT_EQ(open(conversation_.id)->messages.size(), 2U) << "nothing was stored";
    const auto sent = send(conversation_.id, std::string(936, 'n'));
    ASSERT_TRUE(sent) << sent.error().detail;
    next_call();
    stop(conversation_.id);
    EXPECT_EQ(send({.conversation = {kOwner, {"0"}}, .text = std::string(900, 'n')}).error().code,
              ErrorCode::kNotFound);
}

class AutomaticCompaction : public ContextOpsTest {
  protected:
    AutomaticCompaction() {
        background_ = true;
        restart();
        conversation_ = new_conversation();
    }
    /// An answer whose prompt took that many tokens, and the work that follows it.
    void answer(std::int64_t prompt_tokens) {
        const auto sent = send(conversation_.id, std::string(100, 'q'));
        ASSERT_TRUE(sent) << sent.error().detail;
        backend_.emit(next_call(),
                      {Text{std::string(100, 'a')},
                       End{.usage = {.prompt_tokens = prompt_tokens, .completion_tokens = 100}}});
        wait_end(sent->feed);
        backend_.emit(next_call(), {End{.finish = ChatFinish::kLength}});  // reading ahead
        const bool first = open(conversation_.id)->messages.size() == 2;
        if (first) reply("rubbish");  // a title
        reply("rubbish");             // questions
        EXPECT_TRUE(await<void>(
            [&](auto done) { chat_->when_settled(conversation_.key(), std::move(done)); }));
    }
};

TEST_F(AutomaticCompaction, BeginsWhenThePromptIsNearlyFull) {
    answer(100);
    answer(300);
    answer(537);  // 637 of 750
    wait_compute();
    EXPECT_EQ(backend_.n_calls(), n_calls_) << "84.9 %";
    answer(538);  // 638 of 750
    const auto asked = next_call();
    EXPECT_EQ(asked->request.messages.back().content, kSummaryInstruction);
    EXPECT_EQ(asked->request.priority, ChatPriority::kBackground);
    backend_.emit(asked, {Text{"told"}, End{}});
    loop_.run_until([this] { return open(conversation_.id)->context.summarised > 0; });
    EXPECT_EQ(open(conversation_.id)->context.summarised, 6) << "one exchange of 200 is a third";
}

TEST_F(AutomaticCompaction, NeverAtARemoteModel) {
    backend_.remote_host = "example.org";
    const auto sent = send(conversation_.id, std::string(100, 'q'));
    backend_.emit(next_call(),
                  {Text{"a"}, End{.usage = {.prompt_tokens = 740, .completion_tokens = 1}}});
    wait_end(sent->feed);
    reply("rubbish");
    reply("rubbish");
    EXPECT_TRUE(
        await<void>([&](auto done) { chat_->when_settled(conversation_.key(), std::move(done)); }));
    wait_compute();
    EXPECT_EQ(backend_.n_calls(), n_calls_);
}

}  // namespace
}  // namespace notso::services

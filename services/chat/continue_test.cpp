// Answers that were cut go on: after Stop, after an error, in the next process; once, with what was
// written, and without a seam.
#include "services/chat/chat_fixture.hpp"
#include "services/tools/built_in.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

class ContinueTest : public ChatFixture {
  protected:
    ContinueTest() { revive(); }
    ~ContinueTest() override { chat_.reset(); }

    /// The process dies; the next one goes on with what it finds, unless it shall not.
    void revive(bool go_on = true) {
        chat_.reset();
        chat_ = ChatService::create({.backend = backend_,
                                     .store = *store_,
                                     .io = loop_,
                                     .database = *database_,
                                     .compute = *compute_,
                                     .tools = {.box = &box_},
                                     .continue_unfinished = go_on});
        if (conversation_.id.value.empty()) conversation_ = new_conversation();
        open(conversation_.id);  // behind the recovery
    }
    Result<SentMessage> go_on(const MessageId& answer) {
        return await<SentMessage>([&](auto done) {
            chat_->continue_answer({conversation_.key(), answer}, std::move(done));
        });
    }
    static std::vector<ChatEvent> written(std::string_view text, std::int64_t first = 0) {
        std::vector<ChatEvent> events;
        for (const char c : text) {
            events.emplace_back(Progress{++first, c});
            events.emplace_back(Text{std::string(1, c)});
        }
        return events;
    }
    static std::vector<ChatEvent> joined(std::vector<ChatEvent> events,
                                         std::vector<ChatEvent> more) {
        events.insert(events.end(), more.begin(), more.end());
        return events;
    }
    /// An answer that says `text` and is stopped.
    SentMessage stopped(std::string_view text) {
        const std::size_t n = backend_.n_calls();
        auto sent = send(conversation_.id, "question");
        backend_.emit(call(n), written(text));
        wait_text(sent->feed, text);
        EXPECT_TRUE(stop(conversation_.id));
        return *std::move(sent);
    }
    std::shared_ptr<FakeBackend::Call> call(std::size_t n) {
        loop_.run_until([&] { return backend_.n_calls() > n; });
        return backend_.call(n);
    }
    Message last() { return open(conversation_.id)->messages.back(); }

    ToolBox box_{{make_built_in(
        {.name = "look", .title = "look", .description = "", .parameters = {}, .policy = {}},
        R"({"properties": {"x": {"type": "string"}}})",
        [](const boost::json::object&, const ToolContext&) -> Result<std::string> {
            return "seen";
        })}};
    Conversation conversation_;
};

TEST_F(ContinueTest, GoesOnWhereItWasStopped) {
    const SentMessage cut = stopped("Hel");
    EXPECT_TRUE(open(conversation_.id)->can_continue);
    const auto sent = go_on(cut.answer.id);
    ASSERT_TRUE(sent) << sent.error().detail;
    EXPECT_EQ(sent->feed->snapshot().text, "Hel") << "it is shown before the model is asked";
    const auto asked = call(1);
    ASSERT_TRUE(asked->request.written);
    EXPECT_EQ(asked->request.written->text, "Hel");
    EXPECT_EQ(asked->request.written->tokens, (std::vector<std::int32_t>{'H', 'e', 'l'}));
    EXPECT_EQ(asked->request.messages.size(), 1U);
    EXPECT_EQ(asked->request.sampling.seed, backend_.call(0)->request.sampling.seed);
    backend_.emit(asked, joined(written("Hel"), {Resumed{}}));
    backend_.emit(asked, joined(written("lo", 3), {End{.usage = {.completion_tokens = 5}}}));
    const Message end = wait_end(sent->feed);
    EXPECT_EQ(end.id, cut.answer.id);
    EXPECT_EQ(end.state, MessageState::kComplete);
    EXPECT_EQ(end.text, "Hello");
    EXPECT_EQ(end.stats.completion_tokens, 5);
    EXPECT_EQ(last().text, "Hello");
    EXPECT_EQ(open(conversation_.id)->messages.size(), 2U);
    EXPECT_FALSE(open(conversation_.id)->can_continue);
    EXPECT_EQ(*store_->journal(end.id), std::nullopt) << "a whole answer needs none";
}

TEST_F(ContinueTest, WhatWasToldAgainTakesThePlaceOfWhatTheCutShowed) {
    const std::size_t n = backend_.n_calls();
    const auto sent = send(conversation_.id, "question");
    backend_.emit(call(n), joined(written("One"), {Progress{4, '<'}, Progress{5, 't'}}));
    wait_text(sent->feed, "One");
    backend_.call(n)->answers_cancel = false;
    wait_compute();
    chat_->stop(conversation_.key(), [](Result<>) {});
    backend_.emit(backend_.call(n), {Text{"<t"}, End{.finish = ChatFinish::kCancelled}});
    EXPECT_EQ(wait_end(sent->feed).text, "One<t");
    const auto again = go_on(sent->answer.id);
    EXPECT_EQ(call(n + 1)->request.written->tokens,
              (std::vector<std::int32_t>{'O', 'n', 'e', '<', 't'}));
    backend_.emit(call(n + 1), joined(written("One"), {Progress{4, '<'}, Progress{5, 't'}}));
    backend_.emit(call(n + 1), {Resumed{}});
    wait_text(again->feed, "One");
    EXPECT_GT(again->feed->snapshot().rewritten_seq, 0U);
    backend_.emit(call(n + 1), {Text{" two"}, End{}});
    EXPECT_EQ(wait_end(again->feed).text, "One two");
    EXPECT_EQ(last().text, "One two");
}

TEST_F(ContinueTest, AStopWhileItIsToldAgainKeepsWhatThereIs) {
    const SentMessage cut = stopped("Hello");
    const auto sent = go_on(cut.answer.id);
    backend_.emit(call(1), written("Hel"));
    wait_compute();
    ASSERT_TRUE(stop(conversation_.id));
    EXPECT_EQ(last().text, "Hello");
    EXPECT_EQ(last().state, MessageState::kStopped);
    EXPECT_EQ((*store_->journal(cut.answer.id))->tokens.size(), 5U);
}

TEST_F(ContinueTest, AModelThatRefusesCostsNothing) {
    const SentMessage cut = stopped("Hello");
    backend_.start_error = Error{ErrorCode::kOverloaded, "too much"};
    const Message failed = wait_end(go_on(cut.answer.id)->feed);
    EXPECT_EQ(failed.state, MessageState::kFailed);
    EXPECT_EQ(failed.error, "too much");
    EXPECT_EQ(failed.text, "Hello");
    backend_.start_error.reset();
    EXPECT_TRUE(open(conversation_.id)->can_continue) << "it can be tried again";
    const auto sent = go_on(cut.answer.id);
    EXPECT_EQ(call(1)->request.written->tokens.size(), 5U);
    backend_.emit(call(1), joined(written("Hello"), {Resumed{}, Text{"!"}, End{}}));
    EXPECT_EQ(wait_end(sent->feed).text, "Hello!");
}

TEST_F(ContinueTest, AskedTwiceItGoesOnOnce) {
    const SentMessage cut = stopped("Hel");
    const auto first = go_on(cut.answer.id);
    const auto second = go_on(cut.answer.id);
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->repeated);
    EXPECT_EQ(second->feed, first->feed);
    EXPECT_EQ(go_on({"other"}).error().code, ErrorCode::kBusy);
    backend_.emit(call(1), joined(written("Hel"), {Resumed{}, End{}}));
    wait_end(first->feed);
    EXPECT_EQ(backend_.n_calls(), 2U);
}

TEST_F(ContinueTest, OnlyTheLastAnswerAndOnlyACutOne) {
    const Message whole = ask(conversation_.id, "one", "whole", 0);
    EXPECT_EQ(go_on(whole.id).error().code, ErrorCode::kInvalidArgument);
    const SentMessage cut = stopped("half");
    ask(conversation_.id, "next", "fine", 2);
    EXPECT_EQ(go_on(cut.answer.id).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(go_on({"nobody"}).error().code, ErrorCode::kNotFound);
    const SentMessage other = stopped("half");
    backend_.remote_host = "example.org";
    EXPECT_FALSE(open(conversation_.id)->can_continue);
    EXPECT_EQ(go_on(other.answer.id).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(last().state, MessageState::kStopped);
    EXPECT_EQ(chat_->running(conversation_.key()), nullptr);
}

TEST_F(ContinueTest, AnotherModelGetsTheTextWithoutTheTokens) {
    const SentMessage cut = stopped("Hel");
    Message stored = last();
    stored.journal = **store_->journal(cut.answer.id);
    EXPECT_EQ(stored.journal->model, "fake");
    stored.journal->model = "another";
    ASSERT_TRUE(store_->update_message(stored));
    const auto sent = go_on(cut.answer.id);
    EXPECT_TRUE(call(1)->request.written->tokens.empty());
    EXPECT_EQ(call(1)->request.written->text, "Hel");
    backend_.emit(call(1), {Progress{1, 900}, Text{"Hel"}, Resumed{}, Progress{2, 901}, Text{"p"}});
    wait_text(sent->feed, "Help");
    ASSERT_TRUE(stop(conversation_.id));
    EXPECT_EQ((*store_->journal(cut.answer.id))->tokens, (std::vector<std::int32_t>{900, 901}));
    EXPECT_EQ((*store_->journal(cut.answer.id))->model, "fake");
}

TEST_F(ContinueTest, TheNextProcessGoesOnByItself) {
    auto sent = send(conversation_.id, "question");
    backend_.emit(call(0), joined(written("Hel"), {Progress{4, 'l'}}));
    wait_text(sent->feed, "Hel");
    revive();
    const auto feed = chat_->running(conversation_.key());
    ASSERT_NE(feed, nullptr);
    EXPECT_EQ(feed->snapshot().text, "Hel");
    EXPECT_EQ(feed->extent_at(1), std::nullopt) << "an event of the dead process";
    const auto asked = call(1);
    EXPECT_EQ(asked->request.written->text, "Hel");
    backend_.emit(asked, joined(written("Hell"), {Resumed{}}));
    wait_text(feed, "Hell");
    backend_.emit(asked, joined(written("o", 4), {End{}}));
    EXPECT_EQ(wait_end(feed).text, "Hello");
    EXPECT_EQ(last().state, MessageState::kComplete);
}

TEST_F(ContinueTest, WhatNobodySawBeginsAgain) {
    const auto sent = send(conversation_.id, "question");
    call(0);
    revive();
    EXPECT_EQ(call(1)->request.written, std::nullopt);
    const auto feed = chat_->running(conversation_.key());
    backend_.emit(call(1), {Text{"Hello"}, End{}});
    EXPECT_EQ(wait_end(feed).text, "Hello");
    EXPECT_EQ(last().id, sent->answer.id);
}

TEST_F(ContinueTest, AnAnswerThatKillsTheServerIsGivenUp) {
    send(conversation_.id, "question");
    for (std::size_t n = 0; n < 3; ++n) {
        const auto asked = call(n);
        if (n > 0) backend_.emit(asked, joined(written("a"), {Resumed{}}));
        if (n == 0) backend_.emit(asked, written("a"));
        wait_text(chat_->running(conversation_.key()), "a");
        revive();
    }
    EXPECT_EQ(chat_->running(conversation_.key()), nullptr);
    EXPECT_EQ(last().state, MessageState::kInterrupted);
    EXPECT_EQ(last().text, "a");
    const auto sent = go_on(last().id);
    EXPECT_EQ(call(3)->request.written->tokens.size(), 1U) << "a person may try it again";
    backend_.emit(call(3), joined(written("a"), {Resumed{}, Text{"b"}, End{}}));
    EXPECT_EQ(wait_end(sent->feed).text, "ab");
}

TEST_F(ContinueTest, ItIsMarkedWhereThatIsWanted) {
    const auto sent = send(conversation_.id, "question");
    backend_.emit(call(0), written("Hel"));
    wait_text(sent->feed, "Hel");
    revive(false);
    EXPECT_EQ(chat_->running(conversation_.key()), nullptr);
    EXPECT_EQ(last().state, MessageState::kInterrupted);
    EXPECT_TRUE(open(conversation_.id)->can_continue);
    EXPECT_EQ((*store_->journal(sent->answer.id))->tokens.size(), 3U);
}

TEST_F(ContinueTest, AServerThatIsStoppedLeavesItToTheNext) {
    const auto sent = send(conversation_.id, "question");
    backend_.emit(call(0), written("Hel"));
    wait_text(sent->feed, "Hel");
    for (int restarts = 0; restarts < 4; ++restarts) {
        ASSERT_TRUE(await<void>([&](auto done) { chat_->shut_down(0, std::move(done)); }));
        EXPECT_EQ(last().state, MessageState::kInterrupted) << "as the page shows it meanwhile";
        revive();
        ASSERT_NE(chat_->running(conversation_.key()), nullptr) << "that was no crash";
        call(static_cast<std::size_t>(restarts) + 1);
    }
    const auto feed = chat_->running(conversation_.key());
    backend_.emit(call(4), joined(written("Hel"), {Resumed{}, Text{"p"}, End{}}));
    EXPECT_EQ(wait_end(feed).text, "Help");
}

TEST_F(ContinueTest, GoesOnBehindCallsOfTools) {
    auto sent = send(conversation_.id, "question");
    const std::vector<ChatEvent> calls = {ToolCallBegun{0, "id", "look"},
                                          ToolCallArguments{0, "{}"},
                                          ToolCallDone{0},
                                          End{.finish = ChatFinish::kToolCalls}};
    backend_.emit(
        call(0),
        joined(joined({ThinkingStarted{}, ThinkingText{"hm"}, ThinkingEnded{}}, written("See: ")),
               calls));
    backend_.emit(call(1),
                  joined({ThinkingStarted{}, ThinkingText{"so"}, ThinkingEnded{}}, written("It")));
    wait_text(sent->feed, "See: It");
    revive();
    const auto asked = call(2);
    EXPECT_EQ(asked->request.written->text, "It");
    EXPECT_EQ(asked->request.written->thinking, "so");
    EXPECT_EQ(asked->request.written->tokens, (std::vector<std::int32_t>{'I', 't'}));
    EXPECT_EQ(asked->request.messages.size(), backend_.call(1)->request.messages.size());
    EXPECT_EQ(asked->request.messages[1].content, "See: ");
    const auto feed = chat_->running(conversation_.key());
    backend_.emit(asked,
                  joined({ThinkingStarted{}, ThinkingText{"so"}, ThinkingEnded{}}, written("It")));
    backend_.emit(asked, joined({Resumed{}}, written(" is.", 2)));
    backend_.emit(asked, {End{.usage = {.completion_tokens = 6}}});
    const Message end = wait_end(feed);
    EXPECT_EQ(end.text, "See: It is.");
    EXPECT_EQ(end.thinking, "hm\n\nso");
    EXPECT_EQ(end.tool_uses.size(), 1U);
    EXPECT_EQ(end.stats.completion_tokens, 5 + 6);
    EXPECT_EQ(feed->snapshot().rewritten_seq, 0U) << "nothing of it was another text";
}

TEST_F(ContinueTest, CallsThatWereToldButNotWrittenDownAreMade) {
    const auto sent = send(conversation_.id, "question");
    backend_.emit(call(0), joined(written("See: "), {Progress{6, 'c'}, Text{" "}}));
    wait_text(sent->feed, "See:  ");
    revive();
    const auto feed = chat_->running(conversation_.key());
    backend_.emit(call(1),
                  joined(written("See: "),
                         {Progress{6, 'c'},
                          ToolCallBegun{0, "id", "look"},
                          ToolCallArguments{0, "{}"},
                          ToolCallDone{0},
                          Resumed{},
                          End{.finish = ChatFinish::kToolCalls}}));
    EXPECT_EQ(call(2)->request.messages.back().content, "seen");
    backend_.emit(call(2), {Text{"There."}, End{}});
    const Message end = wait_end(feed);
    EXPECT_EQ(end.text, "See: There.");
    ASSERT_EQ(end.tool_uses.size(), 1U);
    EXPECT_EQ(end.tool_uses[0].text_offset, 5);
    EXPECT_EQ(end.tool_uses[0].arguments, "{}");
}

TEST_F(ContinueTest, TheLastRoomOfTheContextIsNotPassedOver) {
    backend_.context_length = 200;
    const SentMessage cut = stopped(std::string(150, 'a'));
    const auto refused = go_on(cut.answer.id);
    ASSERT_TRUE(refused);
    backend_.emit(call(1), joined(written(std::string(150, 'a')), {Resumed{}, Text{"b"}, End{}}));
    EXPECT_EQ(wait_end(refused->feed).state, MessageState::kComplete);
    const SentMessage full = stopped(std::string(180, 'a'));
    const Message failed = wait_end(go_on(full.answer.id)->feed);
    EXPECT_EQ(failed.state, MessageState::kFailed);
    EXPECT_TRUE(failed.error.contains("can't go on")) << failed.error;
    EXPECT_EQ(failed.text, std::string(180, 'a'));
}

}  // namespace
}  // namespace notso::services

// What follows an answer: which requests are made, what becomes of their texts, and what gives them
// up.
#include "services/chat/background.hpp"

#include "services/chat/chat_fixture.hpp"
#include "services/chat/side_texts.hpp"
#include "services/chat/title.hpp"
#include "services/prompt/control_strings.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

constexpr std::size_t kAhead = 1;  // calls of the backend after the first answer
constexpr std::size_t kTitle = 2;
constexpr std::size_t kQuestions = 3;

class BackgroundTest : public ChatFixture {
  protected:
    BackgroundTest() {
        background_ = true;
        restart();
        conversation_ = new_conversation();
    }
    /// Sends the first message of the conversation and answers it.
    void answer_first() {
        const auto sent = send({.conversation = conversation_.key(),
                                .text = "What is the capital of France?",
                                .user = 7});
        ASSERT_TRUE(sent);
        backend_.emit(backend_.call(0), {Text{"It is Paris."}, End{}});
        first_ = wait_end(sent->feed);
        EXPECT_TRUE(sent->feed->snapshot().more_follows);
    }
    /// Waits for a call of the backend, with the loop running.
    std::shared_ptr<FakeBackend::Call> wait_call(std::size_t n) {
        while (backend_.n_calls() <= n) wait_compute();
        return backend_.call(n);
    }
    void reply(std::size_t n, std::string text, ChatFinish finish = ChatFinish::kStop) {
        backend_.emit(wait_call(n), {Text{std::move(text)}, End{.finish = finish}});
    }
    ConversationView settled() {
        EXPECT_TRUE(await<void>(
            [&](auto done) { chat_->when_settled(conversation_.key(), std::move(done)); }));
        return *open(conversation_.id);
    }

    Conversation conversation_;
    Message first_{.id = {}, .conversation = {}, .text = {}};
};

TEST_F(BackgroundTest, ReadsAheadThenTitleThenQuestions) {
    answer_first();
    const ChatRequest asked = backend_.call(0)->request;
    const ChatRequest ahead = wait_call(kAhead)->request;
    EXPECT_TRUE(ahead.read_only);
    EXPECT_EQ(ahead.priority, ChatPriority::kBackground);
    EXPECT_EQ(ahead.user, 7U);
    ASSERT_EQ(ahead.messages.size(), 2U);
    EXPECT_EQ(ahead.messages[1].content, "It is Paris.");
    backend_.emit(wait_call(kAhead), {End{.finish = ChatFinish::kLength}});

    const ChatRequest title = wait_call(kTitle)->request;
    EXPECT_EQ(title.priority, ChatPriority::kBackground);
    EXPECT_FALSE(title.read_only);
    ASSERT_EQ(title.messages.size(), 3U) << "a fork: the conversation and one instruction";
    EXPECT_EQ(title.messages[0].content, asked.messages[0].content);
    EXPECT_EQ(title.messages[1].content, "It is Paris.");
    EXPECT_EQ(title.date, asked.date) << "the same beginning, or nothing is reused";
    EXPECT_EQ(title.thinking_overrides_system, asked.thinking_overrides_system);
    EXPECT_GT(title.max_tokens, 0);
    reply(kTitle, "**Paris**, the Capital");

    const ChatRequest questions = wait_call(kQuestions)->request;
    EXPECT_EQ(questions.messages.size(), 3U);
    EXPECT_EQ(questions.messages.back().content, kFollowUpInstruction);
    EXPECT_FALSE(questions.form.is_free()) << "held to a grammar";
    reply(kQuestions, R"(["How old is Paris?", "Is it?"])");
    const ConversationView view = settled();
    EXPECT_EQ(view.conversation.title, "Paris, the Capital");
    EXPECT_EQ(view.follow_ups, std::vector<std::string>{"How old is Paris?"});
    EXPECT_FALSE(view.more_follows);
    EXPECT_EQ(view.messages.size(), 2U) << "nothing of it is in the conversation";
}

TEST_F(BackgroundTest, RubbishIsNotShown) {
    answer_first();
    reply(kAhead, "");
    reply(kTitle, "");
    reply(kQuestions, "I am glad to help!");
    const ConversationView view = settled();
    EXPECT_EQ(view.conversation.title, "What is the capital of France?");
    EXPECT_TRUE(view.follow_ups.empty());
}

// Written by both, and by the model as a title: a title request has it to the byte, and what
// becomes the title is one line of text.
TEST_F(BackgroundTest, ControlStringsAreTextInTitles) {
    std::size_t n = 0;
    for (const std::string& text : control_strings()) {
        const std::string first = "About Paris " + text;
        conversation_ = new_conversation();
        ask(conversation_.id, first, "It is " + text, n);
        reply(n + 1, "");
        const ChatRequest title = wait_call(n + 2)->request;
        ASSERT_EQ(title.messages.size(), 3U);
        EXPECT_EQ(title.messages[0].content, first);
        EXPECT_EQ(title.messages[1].content, "It is " + text);
        EXPECT_EQ(title.messages[2].content, kTitleInstruction);
        EXPECT_TRUE(title.tools.empty());
        reply(n + 2, "Paris " + text);
        reply(n + 3, "");
        const Conversation named = settled().conversation;
        EXPECT_EQ(
            named.title,
            clean_title("Paris " + text, open(named.id)->messages).value_or(make_title(first)));
        n += 4;
    }
}

TEST_F(BackgroundTest, ATitleThatAPersonGaveStays) {
    answer_first();
    reply(kAhead, "");
    wait_call(kTitle);
    ASSERT_TRUE(await<void>(
        [&](auto done) { chat_->rename(conversation_.key(), "Mine", std::move(done)); }));
    reply(kTitle, "Paris");
    reply(kQuestions, "");
    EXPECT_EQ(settled().conversation.title, "Mine");
}

TEST_F(BackgroundTest, ALaterAnswerGetsNoTitle) {
    answer_first();
    reply(kAhead, "");
    reply(kTitle, "Paris");
    reply(kQuestions, "How old is Paris?");
    settled();
    ask(conversation_.id, "And of Spain?", "Madrid.", 4);
    EXPECT_TRUE(open(conversation_.id)->follow_ups.empty())
        << "those of the answer before are gone";
    reply(5, "");
    EXPECT_EQ(wait_call(6)->request.messages.back().content, std::string(kFollowUpInstruction));
    reply(6, "How large is Madrid?");
    const ConversationView view = settled();
    EXPECT_EQ(view.follow_ups, std::vector<std::string>{"How large is Madrid?"});
    EXPECT_EQ(view.conversation.title, "Paris");
}

TEST_F(BackgroundTest, ANewMessageGivesItUpAtOnce) {
    answer_first();
    reply(kAhead, "");
    const auto title = wait_call(kTitle);
    EXPECT_TRUE(open(conversation_.id)->more_follows);
    const auto sent = send(conversation_.id, "And of Spain?");
    ASSERT_TRUE(sent);
    wait_cancelled(*title);
    EXPECT_FALSE(open(conversation_.id)->more_follows);
    settled();
    backend_.emit(backend_.call(3), {Text{"Madrid."}, End{}});
    wait_end(sent->feed);
    EXPECT_TRUE(wait_call(4)->request.read_only);
}

TEST_F(BackgroundTest, DeletingAndClearingGiveItUp) {
    answer_first();
    const auto ahead = wait_call(kAhead);
    ASSERT_TRUE(clear(conversation_.id));
    wait_cancelled(*ahead);
    EXPECT_FALSE(open(conversation_.id)->more_follows);
    ask(conversation_.id, "What is the capital of Spain?", "Madrid.", 2);
    const auto again = wait_call(3);
    ASSERT_TRUE(remove(conversation_.id));
    wait_cancelled(*again);
}

TEST_F(BackgroundTest, ShuttingDownEndsIt) {
    answer_first();
    const auto ahead = wait_call(kAhead);
    bool done = false;
    chat_->when_settled(conversation_.key(), [&done](Result<>) { done = true; });
    EXPECT_TRUE(await<void>([&](auto end) { chat_->shut_down(1000, std::move(end)); }));
    loop_.run_until([&done] { return done; });
    wait_cancelled(*ahead);
}

TEST_F(BackgroundTest, ARemoteModelIsNotAskedToReadAhead) {
    backend_.remote_host = "example.com";
    answer_first();
    const ChatRequest title = wait_call(1)->request;
    EXPECT_FALSE(title.read_only);
    EXPECT_EQ(title.messages.back().content, kTitleInstruction);
    reply(1, "Paris");
    const ChatRequest questions = wait_call(2)->request;
    EXPECT_GT(questions.max_tokens, 0);
    EXPECT_TRUE(questions.form.is_free()) << "not every server knows grammars";
    EXPECT_EQ(questions.messages.back().content, kFreeFollowUpInstruction);
    reply(2, "");
    settled();
    EXPECT_EQ(backend_.n_calls(), 3U);
}

TEST_F(BackgroundTest, AFloodOfTextIsNotWaitedFor) {
    answer_first();
    reply(kAhead, "");
    const auto title = wait_call(kTitle);
    backend_.emit(title, {Text{std::string(20'000, 'x')}});
    settled();
    wait_cancelled(*title);
}

TEST_F(BackgroundTest, NoRoomEndsIt) {
    answer_first();
    const auto ahead = wait_call(kAhead);
    backend_.start_error = Error{ErrorCode::kOverloaded, "full"};
    backend_.emit(ahead, {End{}});
    settled();
    EXPECT_EQ(backend_.n_calls(), 2U);
}

TEST_F(BackgroundTest, AnAnswerThatIsNotWholeGetsNothing) {
    const auto sent = send(conversation_.id, "What is the capital of France?");
    ASSERT_TRUE(sent);
    backend_.emit(backend_.call(0), {Text{"It"}, End{.finish = ChatFinish::kLength}});
    wait_end(sent->feed);
    EXPECT_FALSE(sent->feed->snapshot().more_follows);
    settled();
    wait_compute();
    EXPECT_EQ(backend_.n_calls(), 1U);
}

TEST_F(BackgroundTest, AThinkingConversationIsReadAheadAsItWillBe) {
    ASSERT_TRUE(await<Conversation>(
        [&](auto done) { chat_->set_thinking(conversation_.key(), true, std::move(done)); }));
    answer_first();
    EXPECT_TRUE(wait_call(kAhead)->request.thinking);
    reply(kAhead, "");
    EXPECT_FALSE(wait_call(kTitle)->request.thinking);
    reply(kTitle, "Paris");
    settled();
    EXPECT_EQ(backend_.n_calls(), 3U) << "no questions: they would share nothing";
}

TEST_F(BackgroundTest, ItEndsWhenItsTimeIsOver) {
    Background background({.backend = backend_,
                           .io = loop_,
                           .compute = *compute_,
                           .store = StoreClient(*store_, *database_, loop_),
                           .limit = std::chrono::milliseconds(20)});
    background_ = false;
    restart();
    const Message answer = ask(conversation_.id, "What is the capital of France?", "Paris.", 0);
    background.begin(conversation_.key(), answer.id, 0);
    const auto ahead = wait_call(kAhead);
    EXPECT_TRUE(background.runs(conversation_.key()));
    loop_.run_until([&] { return !background.runs(conversation_.key()); });
    wait_cancelled(*ahead);
}

TEST_F(ChatFixture, NothingFollowsUnlessAskedFor) {
    const Conversation conversation = new_conversation();
    ask(conversation.id, "What is the capital of France?", "Paris.", 0);
    wait_compute();
    EXPECT_FALSE(open(conversation.id)->more_follows);
    EXPECT_EQ(backend_.n_calls(), 1U);
}

}  // namespace
}  // namespace notso::services

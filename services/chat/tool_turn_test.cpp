// Turns that call tools: the model's calls, their results, approval, limits, and a restart at every
// step.
#include <mutex>
#include <thread>

#include "services/chat/chat_fixture.hpp"
#include "services/tools/built_in.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

/// What the tools of these tests did.
struct Deeds {
    std::mutex mutex;
    std::vector<std::string> done;
    bool hold = false;  ///< "slow" waits for its stop.

    void add(std::string deed) {
        const std::lock_guard lock(mutex);
        done.push_back(std::move(deed));
    }
    std::vector<std::string> all() {
        const std::lock_guard lock(mutex);
        return done;
    }
};

ToolPtr make_tool(Deeds& deeds, std::string name, ToolPolicy policy) {
    return make_built_in(
        {.name = name, .title = name, .description = "", .parameters = {}, .policy = policy},
        R"({"properties": {"x": {"type": "string"}}})",
        [&deeds, name](const boost::json::object& arguments,
                       const ToolContext& context) -> Result<std::string> {
            const std::string x = text_argument(arguments, "x");
            deeds.add(name + " " + x);
            if (name == "note") {
                NOTSO_TRY(const Note note, context.notes->add(x));
                return fmt::format("note {}", note.number);
            }
            if (name == "slow") {
                while (!context.stop.stop_requested())
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            if (x == "fail") return fail(ErrorCode::kInvalidArgument, "x must not be fail");
            return "got " + x;
        });
}

class ToolTurnTest : public ChatFixture {
  protected:
    ToolTurnTest() {
        chat_.reset();
        chat_ = make_service();
        conversation_ = new_conversation();
    }
    ~ToolTurnTest() override { chat_.reset(); }

    std::unique_ptr<ChatService> make_service() {
        return ChatService::create({.backend = backend_,
                                    .store = *store_,
                                    .io = loop_,
                                    .database = *database_,
                                    .compute = *compute_,
                                    .background = background_,
                                    .tools = {.box = &box_}});
    }
    static std::vector<ChatEvent> call(std::string name, std::string x, std::int64_t index = 0) {
        return {ToolCallBegun{index, fmt::format("model-{}", index), std::move(name)},
                ToolCallArguments{index, "{\"x\": \""},
                ToolCallArguments{index, x + "\"}"},
                ToolCallDone{index}};
    }
    static std::vector<ChatEvent> joined(std::vector<ChatEvent> events,
                                         std::initializer_list<std::vector<ChatEvent>> more) {
        for (const auto& some : more) events.insert(events.end(), some.begin(), some.end());
        return events;
    }
    /// Call n of the backend; the loop runs until it comes.
    std::shared_ptr<FakeBackend::Call> asked(std::size_t n) {
        loop_.run_until([&] { return backend_.n_calls() > n; });
        return backend_.call(n);
    }
    void emit(std::size_t n, std::vector<ChatEvent> events) {
        backend_.emit(asked(n), std::move(events));
    }
    std::vector<ToolUse> uses(const TurnFeed& feed) { return feed.snapshot().tool_uses; }
    void wait_for(const TurnFeed& feed, ToolUseState state) {
        loop_.run_until([&] {
            const auto now = uses(feed);
            return !now.empty() && now.back().state == state;
        });
    }
    Result<> decide(std::string use, ToolDecision decision) {
        return await<void>([&](auto done) {
            chat_->decide_tool({conversation_.key(), std::move(use), decision}, std::move(done));
        });
    }
    /// The server goes away and comes back.
    void restart() {
        chat_.reset();
        chat_ = make_service();
        loop_.run_until([&] { return chat_->running(conversation_.key()) != nullptr; });
    }

    Deeds deeds_;
    ToolBox box_{{make_tool(deeds_, "look", ToolPolicy::kRunsFreely),
                  make_tool(deeds_, "note", ToolPolicy::kRunsFreely),
                  make_tool(deeds_, "slow", ToolPolicy::kRunsFreely),
                  make_tool(deeds_, "act", ToolPolicy::kAsksFirst)}};
    Conversation conversation_;
    const End called_{.finish = ChatFinish::kToolCalls};
};

TEST_F(ToolTurnTest, ThoughtsOfAllRoundsShareOneBudget) {
    ASSERT_TRUE(await<Conversation>(
        [&](auto done) { chat_->set_thinking_budget(conversation_.key(), 100, std::move(done)); }));
    const auto sent = send(conversation_.id, "Look!");
    EXPECT_EQ(asked(0)->request.thinking_budget, 100);
    for (std::size_t round = 0; round < 2; ++round) {
        End end = called_;
        end.usage.reasoning_tokens = 60;
        emit(round, joined({}, {call("look", "a"), {end}}));
        EXPECT_EQ(asked(round + 1)->request.thinking_budget, round == 0 ? 40 : 0);
    }
    emit(2, {Text{"a"}, End{}});
    wait_end(sent->feed);
}

TEST_F(ToolTurnTest, TheAnswerGoesOnWithWhatToolsGave) {
    const auto sent = send(conversation_.id, "Look!");
    EXPECT_EQ(asked(0)->request.tools.size(), 4U);
    emit(0, joined({Text{"Let me see."}}, {call("look", "a"), call("look", "fail", 1), {called_}}));
    const ChatRequest second = asked(1)->request;
    ASSERT_EQ(second.messages.size(), 4U);
    EXPECT_EQ(second.messages[1].role, "assistant");
    EXPECT_EQ(second.messages[1].content, "Let me see.");
    ASSERT_EQ(second.messages[1].tool_calls.size(), 2U);
    EXPECT_EQ(second.messages[2].role, "tool");
    EXPECT_EQ(second.messages[2].content, "got a");
    EXPECT_TRUE(second.messages[3].content.contains("x must not be fail"));
    EXPECT_EQ(second.messages[2].tool_call_id, "call-1");
    emit(1, {Text{" It is a."}, End{}});
    const Message answer = wait_end(sent->feed);
    EXPECT_EQ(answer.text, "Let me see. It is a.");
    ASSERT_EQ(answer.tool_uses.size(), 2U);
    EXPECT_EQ(answer.tool_uses[0].text_offset, 11);
    EXPECT_EQ(answer.tool_uses[0].state, ToolUseState::kDone);
    EXPECT_EQ(answer.tool_uses[1].state, ToolUseState::kFailed);
    EXPECT_EQ(stored(conversation_.id, answer.id).tool_uses, answer.tool_uses);
    ask(conversation_.id, "And now?", "Well.", 2);
    EXPECT_EQ(asked(2)->request.messages.size(), 6U) << "the history has calls and results";
}

TEST_F(ToolTurnTest, WhatActsAsksFirst) {
    const auto sent = send(conversation_.id, "Act!");
    emit(0, joined(call("act", "a"), {{called_}}));
    wait_for(*sent->feed, ToolUseState::kAsking);
    EXPECT_TRUE(deeds_.all().empty());
    EXPECT_EQ(decide("call-9", ToolDecision::kDeny).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(decide("call-1", ToolDecision::kAllowOnce));
    EXPECT_EQ(decide("call-1", ToolDecision::kAllowOnce).error().code, ErrorCode::kNotFound);
    emit(1, joined(call("act", "b"), {{called_}}));
    wait_for(*sent->feed, ToolUseState::kAsking);
    ASSERT_TRUE(decide("call-2", ToolDecision::kDeny));
    EXPECT_TRUE(asked(2)->request.messages.back().content.contains("did not allow"));
    emit(2, joined(call("act", "c"), {{called_}}));
    wait_for(*sent->feed, ToolUseState::kAsking);
    ASSERT_TRUE(decide("call-3", ToolDecision::kAllowAlways));
    emit(3, joined(call("act", "d"), {{called_}}));
    emit(4, {Text{"Done."}, End{}});
    const Message answer = wait_end(sent->feed);
    EXPECT_EQ(deeds_.all(), (std::vector<std::string>{"act a", "act c", "act d"}));
    EXPECT_EQ(answer.tool_uses[1].state, ToolUseState::kDenied);
}

TEST_F(ToolTurnTest, AnUnknownToolOrABadArgumentIsAnAnswerToTheModel) {
    const auto sent = send(conversation_.id, "Go");
    emit(0, joined(call("nobody", "a"), {{called_}}));
    EXPECT_TRUE(asked(1)->request.messages.back().content.contains("nobody"));
    emit(1,
         {ToolCallBegun{0, "", "act"},
          ToolCallArguments{0, "{\"x\": 1}"},
          ToolCallDone{0},
          called_});
    EXPECT_TRUE(asked(2)->request.messages.back().content.contains("x"))
        << "nobody is asked for what can't run";
    emit(2, {Text{"Sorry."}, End{}});
    EXPECT_EQ(wait_end(sent->feed).state, MessageState::kComplete);
    EXPECT_TRUE(deeds_.all().empty());
}

TEST_F(ToolTurnTest, EightCallsAreTheMost) {
    const auto sent = send(conversation_.id, "Go");
    for (std::size_t n = 0; n < 9; ++n) emit(n, joined(call("look", "a"), {{called_}}));
    const Message answer = wait_end(sent->feed);
    EXPECT_EQ(answer.state, MessageState::kFailed);
    EXPECT_TRUE(answer.error.contains("8 times"));
    EXPECT_EQ(answer.tool_uses.size(), 8U);
}

TEST_F(ToolTurnTest, StopEndsToolsToo) {
    const auto sent = send(conversation_.id, "Go");
    emit(0, joined({Text{"So"}}, {call("slow", "a"), {called_}}));
    wait_for(*sent->feed, ToolUseState::kRunning);
    ASSERT_TRUE(stop(conversation_.id));
    const Message answer = wait_end(sent->feed);
    EXPECT_EQ(answer.state, MessageState::kStopped);
    EXPECT_EQ(answer.text, "So");
    EXPECT_EQ(answer.tool_uses[0].state, ToolUseState::kInterrupted);
    EXPECT_EQ(stored(conversation_.id, answer.id).tool_uses, answer.tool_uses);
}

TEST_F(ToolTurnTest, AQuestionSurvivesARestart) {
    const auto sent = send(conversation_.id, "Act!");
    emit(0,
         joined({ThinkingStarted{}, ThinkingText{"hm"}, ThinkingEnded{}, Text{"I act."}},
                {call("act", "a"), {called_}}));
    wait_for(*sent->feed, ToolUseState::kAsking);
    restart();
    const auto feed = chat_->running(conversation_.key());
    EXPECT_EQ(feed->snapshot().text, "I act.");
    wait_for(*feed, ToolUseState::kAsking);
    ASSERT_TRUE(decide("call-1", ToolDecision::kAllowOnce));
    EXPECT_EQ(asked(1)->request.messages.back().content, "got a");
    emit(1, {Text{" Done."}, End{}});
    const Message answer = wait_end(feed);
    EXPECT_EQ(answer.text, "I act. Done.");
    EXPECT_EQ(answer.thinking, "hm");
    EXPECT_EQ(answer.id, sent->answer.id);
    EXPECT_EQ(deeds_.all(), std::vector<std::string>{"act a"});
}

TEST_F(ToolTurnTest, WhatRanWhenTheServerDiedIsNotRunAgain) {
    const auto sent = send(conversation_.id, "Go");
    emit(0, joined(call("slow", "a"), {{called_}}));
    wait_for(*sent->feed, ToolUseState::kRunning);
    while (deeds_.all().empty()) std::this_thread::yield();
    chat_.reset();  // its round goes, the tool is stopped with the box; nothing is written
    chat_ = make_service();
    EXPECT_TRUE(asked(1)->request.messages.back().content.contains("not known"));
    emit(1, {Text{"Hm."}, End{}});
    loop_.run_until([&] { return chat_->running(conversation_.key()) == nullptr; });
    EXPECT_EQ(deeds_.all(), std::vector<std::string>{"slow a"});
    EXPECT_EQ(stored(conversation_.id, sent->answer.id).tool_uses[0].state,
              ToolUseState::kInterrupted);
}

TEST_F(ToolTurnTest, ShuttingDownLeavesAQuestionForTheNextProcess) {
    const auto sent = send(conversation_.id, "Act!");
    emit(0, joined(call("act", "a"), {{called_}}));
    wait_for(*sent->feed, ToolUseState::kAsking);
    ASSERT_TRUE(await<void>([&](auto done) { chat_->shut_down(60'000, std::move(done)); }))
        << "nobody may come in time";
    restart();
    wait_for(*chat_->running(conversation_.key()), ToolUseState::kAsking);
}

TEST_F(ToolTurnTest, NotesBelongToTheConversation) {
    const auto sent = send(conversation_.id, "Note!");
    emit(0, joined(call("note", "milk"), {{called_}}));
    EXPECT_EQ(asked(1)->request.messages.back().content, "note 1");
    emit(1, {Text{"Noted."}, End{}});
    wait_end(sent->feed);
    EXPECT_EQ(*store_->notes(conversation_.key()), (std::vector<StoredNote>{{1, "milk"}}));
}

TEST_F(ToolTurnTest, WhatIsReadAheadHasTheToolsToo) {
    background_ = true;
    chat_.reset();
    chat_ = make_service();
    const auto sent = send(conversation_.id, "Look!");
    emit(0, joined(call("look", "a"), {{called_}}));
    emit(1, {Text{"It is a."}, End{}});
    wait_end(sent->feed);
    const ChatRequest ahead = asked(2)->request;
    EXPECT_TRUE(ahead.read_only);
    EXPECT_EQ(ahead.tools, backend_.call(0)->request.tools);
    EXPECT_EQ(ahead.messages[1].tool_calls, backend_.call(1)->request.messages[1].tool_calls);
    const auto read = await<void>([&](auto done) {
        chat_->read_draft({.conversation = conversation_.key(), .text = "And then?"},
                          std::move(done));
    });
    ASSERT_TRUE(read);
}

TEST(ToolUse, StandsWithinTheTextWhateverTheDatabaseSays) {
    const auto begin = [](std::int64_t offset) {
        return ToolUse{.id = "", .name = "", .arguments = "", .text_offset = offset}.begin_in(
            "four");
    };
    EXPECT_EQ(begin(-1), 0U);
    EXPECT_EQ(begin(3), 3U);
    EXPECT_EQ(begin(5), 4U);
}

TEST_F(ToolTurnTest, NothingRunsThatCouldNotBeWrittenDown) {
    const auto sent = send(conversation_.id, "Look!");
    const auto call_now = asked(0);
    store_->full = true;
    backend_.emit(call_now, joined(call("look", "a"), {{called_}}));
    loop_.run_until([&] { return sent->feed->ended(); });
    EXPECT_EQ(sent->feed->snapshot().ended->state, MessageState::kFailed);
    EXPECT_TRUE(deeds_.all().empty());
}

}  // namespace
}  // namespace notso::services

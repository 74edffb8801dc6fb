// Settings of conversations: they reach the model, new ones begin with what their owner chose, and
// an answer keeps those that it began with, whatever is changed meanwhile.
#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

const OwnerId kBert{"bert"};
const ChatSettings kAll{"be brief", 0.1, 0.2, 3, 0.4, 1.5, 600, 70, 512};

class ChatSettingsTest : public ChatFixture {
  protected:
    ChatSettingsTest() { revive(); }
    ~ChatSettingsTest() override { chat_.reset(); }

    /// The process dies; the next one goes on with what it finds.
    void revive() {
        chat_.reset();
        chat_ = ChatService::create({.backend = backend_,
                                     .store = *store_,
                                     .io = loop_,
                                     .database = *database_,
                                     .compute = *compute_,
                                     .continue_unfinished = true});
        if (conversation_.id.value.empty()) conversation_ = new_conversation();
        open(conversation_.id);  // behind the recovery
    }
    Result<Conversation> set(const ChatSettings& settings,
                             std::optional<ConversationKey> key = {}) {
        return await<Conversation>([&](auto done) {
            chat_->set_settings(key.value_or(conversation_.key()), settings, std::move(done));
        });
    }
    const ChatRequest& asked(std::size_t n) {
        loop_.run_until([&] { return backend_.n_calls() > n; });
        return backend_.call(n)->request;
    }
    /// Sends a question; some of its answer is shown.
    SentMessage begin(std::size_t n, std::string_view text) {
        auto sent = send(conversation_.id, "question");
        asked(n);
        for (const char c : text)
            backend_.emit(backend_.call(n), {Progress{1, c}, Text{std::string(1, c)}});
        wait_text(sent->feed, text);
        return *std::move(sent);
    }
    Result<SentMessage> go_on(const MessageId& answer) {
        return await<SentMessage>([&](auto done) {
            chat_->continue_answer({conversation_.key(), answer}, std::move(done));
        });
    }
    static void expect_made_with(const ChatRequest& request, const ChatSettings& settings) {
        EXPECT_EQ(request.messages.front().role, "system");
        EXPECT_EQ(request.messages.front().content, settings.system_prompt);
        EXPECT_EQ(request.sampling.temperature, settings.temperature);
        EXPECT_EQ(request.sampling.top_p, settings.top_p);
        EXPECT_EQ(request.sampling.top_k, settings.top_k);
        EXPECT_EQ(request.sampling.min_p, settings.min_p);
        EXPECT_EQ(request.sampling.repeat_penalty, settings.repeat_penalty);
        EXPECT_EQ(request.max_tokens, settings.max_tokens.value_or(0));
        EXPECT_EQ(request.thinking_budget, settings.thinking_budget);
    }

    Conversation conversation_;
};

TEST_F(ChatSettingsTest, QuietModeIsTheOwnersInAllChats) {
    ask(conversation_.id, "one", "1", 0);
    EXPECT_FALSE(asked(0).quiet);
    ASSERT_TRUE(store_->put_owner_settings(conversation_.owner, {.quiet = true}));
    begin(1, "a");
    EXPECT_TRUE(asked(1).quiet);
    revive();
    EXPECT_TRUE(asked(2).quiet) << "also where it goes on after a crash";
    backend_.emit(backend_.call(2), {Text{"a"}, Resumed{}, Text{"b"}, End{}});
    loop_.run_until(
        [&] { return open(conversation_.id)->messages.back().state == MessageState::kComplete; });
    ASSERT_TRUE(store_->put_owner_settings(conversation_.owner, {}));
    ASSERT_TRUE(store_->put_owner_settings(kBert, {.quiet = true}));
    ask(conversation_.id, "two", "2", 3);
    EXPECT_FALSE(asked(3).quiet) << "nobody else's";
}

TEST_F(ChatSettingsTest, ReachTheModelFromTheNextAnswerOn) {
    ask(conversation_.id, "one", "1", 0);
    EXPECT_EQ(asked(0).messages.front().role, "user") << "nobody has set anything";
    EXPECT_EQ(asked(0).sampling.temperature, std::nullopt);
    EXPECT_EQ(asked(0).max_tokens, 0);
    ASSERT_TRUE(set(kAll));
    EXPECT_EQ(open(conversation_.id)->conversation.settings, kAll);
    ask(conversation_.id, "two", "2", 1);
    expect_made_with(asked(1), kAll);
    EXPECT_EQ(asked(1).date, conversation_.date) << "the prompt's date stays frozen";
    EXPECT_EQ(asked(1).date, asked(0).date);
    const ChatSettings other{.system_prompt = "be long", .temperature = 1.9};
    ASSERT_TRUE(set(other));
    ask(conversation_.id, "three", "3", 2);
    expect_made_with(asked(2), other);
}

TEST_F(ChatSettingsTest, WhatIsNotAllowedIsRefusedByName) {
    ASSERT_TRUE(set(kAll));
    const auto refused = set({.temperature = 2.1});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(refused.error().detail.contains("Temperature is “2.1”")) << refused.error().detail;
    EXPECT_EQ(chat_->setting_limits().context, 1000);
    EXPECT_TRUE(set({.context_size = 1000}));
    EXPECT_FALSE(set({.context_size = 1001})) << "more than the server has";
    EXPECT_EQ(set({.system_prompt = std::string(16385, 'a')}).error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(open(conversation_.id)->conversation.settings.context_size, 1000);
}

TEST_F(ChatSettingsTest, NobodyElseSetsThemOrBeginsWithThem) {
    EXPECT_EQ(set(kAll, ConversationKey(kBert, conversation_.id)).error().code,
              ErrorCode::kNotFound);
    EXPECT_EQ(open(conversation_.id)->conversation.settings, ChatSettings{});
    ASSERT_TRUE(store_->put_owner_settings(kOwner, {.values = kAll}));
    EXPECT_EQ(new_conversation().settings, kAll);
    EXPECT_EQ(open(conversation_.id)->conversation.settings, ChatSettings{}) << "of new ones only";
    const auto his =
        await<Conversation>([&](auto done) { chat_->create_conversation(kBert, std::move(done)); });
    EXPECT_EQ(his->settings, ChatSettings{});
    ASSERT_TRUE(store_->put_owner_settings(
        kOwner, {.values = kAll, .default_preset = "cold", .presets = {{"cold", {.top_k = 7}}}}));
    EXPECT_EQ(new_conversation().settings, ChatSettings{.top_k = 7});
}

TEST_F(ChatSettingsTest, AnAnswerThatGoesOnKeepsThoseThatItBeganWith) {
    ASSERT_TRUE(set(kAll));
    const SentMessage cut = begin(0, "Hel");
    ASSERT_TRUE(stop(conversation_.id));
    const ChatSettings other{.system_prompt = "be long", .temperature = 1.9};
    ASSERT_TRUE(set(other));
    const auto again = go_on(cut.answer.id);
    expect_made_with(asked(1), kAll);
    backend_.emit(backend_.call(1), {Text{"Hel"}, Resumed{}, Text{"lo"}, End{}});
    EXPECT_EQ(wait_end(again->feed).text, "Hello");
    EXPECT_EQ(open(conversation_.id)->conversation.settings, other);
    ask(conversation_.id, "next", "2", 2);
    expect_made_with(asked(2), other);
}

TEST_F(ChatSettingsTest, TheNextProcessKeepsThemToo) {
    ASSERT_TRUE(set(kAll));
    begin(0, "Hel");
    ASSERT_TRUE(set({.system_prompt = "be long"}));
    revive();
    expect_made_with(asked(1), kAll);
    backend_.emit(backend_.call(1), {Text{"Hel"}, Resumed{}, Text{"lo"}, End{}});
    EXPECT_EQ(wait_end(chat_->running(conversation_.key())).text, "Hello");
}

TEST_F(ChatSettingsTest, AnAnswerThatWasAsLongAsAllowedMayBeAsMuchLonger) {
    ASSERT_TRUE(set({.max_tokens = 3}));
    const SentMessage cut = begin(0, "Hel");
    EXPECT_EQ(asked(0).max_tokens, 3);
    backend_.emit(backend_.call(0),
                  {End{.finish = ChatFinish::kLength, .usage = {.completion_tokens = 3}}});
    EXPECT_EQ(wait_end(cut.feed).state, MessageState::kLength);
    for (const std::int64_t most : {6, 9}) {
        const std::size_t n = backend_.n_calls();
        const auto again = go_on(cut.answer.id);
        ASSERT_TRUE(again) << again.error().detail;
        EXPECT_EQ(asked(n).max_tokens, most) << "what was written counts";
        backend_.emit(backend_.call(n), {Text{"Hel"}, Resumed{}, Text{"lo,"}});
        backend_.emit(backend_.call(n),
                      {End{.finish = ChatFinish::kLength, .usage = {.completion_tokens = most}}});
        wait_end(again->feed);
    }
    ASSERT_TRUE(set({}));
    const auto freed = go_on(cut.answer.id);
    EXPECT_EQ(asked(3).max_tokens, 0) << "nobody limits it any more";
}

TEST_F(ChatSettingsTest, ASmallerContextLeavesOutMore) {
    for (std::size_t i = 0; i < 4; ++i)
        ask(conversation_.id, std::string(80, 'q'), std::string(80, 'a'), i);
    ask(conversation_.id, "all?", "yes", 4);
    EXPECT_EQ(asked(4).messages.size(), 9U);
    const auto bar = open(conversation_.id)->context;
    EXPECT_EQ(bar.budget, 750);
    ASSERT_TRUE(set({.context_size = 512}));
    EXPECT_EQ(open(conversation_.id)->context.budget, 384) << "the bar says so";
    ask(conversation_.id, "all?", "no", 5);
    EXPECT_EQ(asked(5).messages.size(), 7U);
    const auto ledger = await<ContextLedger>(
        [&](auto done) { chat_->context(conversation_.key(), std::move(done)); });
    EXPECT_EQ(ledger->context, 512);
    EXPECT_EQ(ledger->budget, 384);
}

TEST_F(ChatSettingsTest, AMessageThatFitsTheModelButNotTheContextSizeIsNotStored) {
    ASSERT_TRUE(set({.context_size = 512}));
    const auto refused = send(conversation_.id, std::string(600, 'q'));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kContextLength);
    EXPECT_TRUE(refused.error().detail.contains("600")) << refused.error().detail;
    EXPECT_TRUE(refused.error().detail.contains("settings")) << refused.error().detail;
    EXPECT_TRUE(open(conversation_.id)->messages.empty());
    ASSERT_TRUE(set({}));
    EXPECT_TRUE(send(conversation_.id, std::string(600, 'q')));
}

}  // namespace
}  // namespace notso::services

// One token per character (FakeBackend), so every sum below can be checked by hand.
#include "services/chat/context_window.hpp"

#include <gtest/gtest.h>

#include "services/chat/fake_backend.hpp"

namespace notso::services {
namespace {

class ContextWindowTest : public testing::Test {
  protected:
    void add(MessageRole role, std::string text) {
        Message message{.id = {std::to_string(source_.messages.size())},
                        .conversation = {"c"},
                        .text = std::move(text)};
        message.role = role;
        if (!source_.messages.empty()) message.parent = source_.messages.back().id;
        source_.messages.push_back(std::move(message));
    }
    void add_exchanges(int count, std::size_t size) {
        for (int i = 0; i < count; ++i) {
            add(MessageRole::kUser, std::string(size, static_cast<char>('a' + i)));
            add(MessageRole::kAssistant, std::string(size, static_cast<char>('A' + i)));
        }
    }
    std::vector<std::string> roles(const ChatRequest& request) const {
        std::vector<std::string> all;
        for (const ChatMessage& message : request.messages) all.push_back(message.role);
        return all;
    }

    FakeBackend backend_;  // context 1000, room for the answer 250
    PromptSource source_ = {
        .conversation = {.id = {"c"}, .title = ""}, .messages = {}, .thinking = false};
};

TEST_F(ContextWindowTest, TheConversationsModelDecidesWhatFits) {
    add_exchanges(3, 20);
    add(MessageRole::kUser, "new");
    EXPECT_EQ(fit_context(backend_, source_)->messages_left_out, 0);
    source_.conversation.model = "small";
    const auto prompt = fit_context(backend_, source_);
    ASSERT_TRUE(prompt);
    EXPECT_GT(prompt->messages_left_out, 0);
    EXPECT_EQ(prompt->request.model, "small");
    source_.conversation.model = "gone";
    EXPECT_EQ(fit_context(backend_, source_).error().code, ErrorCode::kNotFound);
}

TEST_F(ContextWindowTest, TakesEverythingThatFits) {
    source_.conversation.settings.system_prompt = "be brief";
    source_.conversation.settings.temperature = 0.5;
    source_.conversation.date = "2026-11-23T09:00:00";
    source_.thinking = true;
    add_exchanges(2, 10);
    source_.messages[1].thinking = "secret thoughts";
    add(MessageRole::kUser, "new");
    const auto prompt = fit_context(backend_, source_);
    ASSERT_TRUE(prompt);
    EXPECT_EQ(prompt->messages_left_out, 0);
    const ChatRequest& request = prompt->request;
    EXPECT_EQ(
        roles(request),
        (std::vector<std::string>{"system", "user", "assistant", "user", "assistant", "user"}));
    EXPECT_EQ(request.messages[0].content, "be brief");
    EXPECT_EQ(request.messages[2].content, std::string(10, 'A')) << "without its thoughts";
    EXPECT_EQ(request.messages[5].content, "new");
    EXPECT_EQ(request.sampling.temperature, 0.5);
    EXPECT_EQ(request.date, "2026-11-23T09:00:00");
    EXPECT_TRUE(request.thinking);
    EXPECT_TRUE(request.thinking_overrides_system);
}

TEST_F(ContextWindowTest, KeepsTheSystemPromptAndTheNewestExchanges) {
    source_.conversation.settings.system_prompt = std::string(50, 's');
    add_exchanges(20, 50);
    add(MessageRole::kUser, std::string(100, 'n'));
    const auto prompt = fit_context(backend_, source_);
    ASSERT_TRUE(prompt);
    // 750 tokens: system 50, newest 100, so 600 are left for exchanges of 100.
    EXPECT_EQ(prompt->request.messages.size(), 1u + 2u * 6u + 1u);
    EXPECT_EQ(prompt->messages_left_out, 2 * 14);
    EXPECT_EQ(prompt->request.messages[0].role, "system");
    EXPECT_EQ(prompt->request.messages[1].content, std::string(50, 'a' + 14));
    EXPECT_EQ(prompt->request.messages.back().content, std::string(100, 'n'));
}

TEST_F(ContextWindowTest, FitsExactlyAtTheLimit) {
    add_exchanges(1, 300);
    add(MessageRole::kUser, std::string(150, 'n'));
    EXPECT_EQ(fit_context(backend_, source_)->messages_left_out, 0) << "750 of 750";
    source_.messages.back().text += 'n';
    EXPECT_EQ(fit_context(backend_, source_)->messages_left_out, 2) << "751 of 750";
}

TEST_F(ContextWindowTest, ALongNewestMessageMayUseTheRoomOfTheAnswer) {
    add_exchanges(1, 10);
    add(MessageRole::kUser, std::string(900, 'n'));
    const auto prompt = fit_context(backend_, source_);
    ASSERT_TRUE(prompt);
    EXPECT_EQ(prompt->request.messages.size(), 1u);
}

TEST_F(ContextWindowTest, ANewestMessageThatIsTooLongNamesBothNumbers) {
    add(MessageRole::kUser, std::string(937, 'n'));
    const auto prompt = fit_context(backend_, source_);
    ASSERT_FALSE(prompt);
    EXPECT_EQ(prompt.error().code, ErrorCode::kContextLength);
    EXPECT_NE(prompt.error().detail.find("937"), std::string::npos);
    EXPECT_NE(prompt.error().detail.find("936"), std::string::npos);
    source_.messages.back().text.pop_back();
    EXPECT_TRUE(fit_context(backend_, source_));
}

TEST_F(ContextWindowTest, LeavesOutQuestionsThatGotNoAnswer) {
    add(MessageRole::kUser, "too long");
    add(MessageRole::kAssistant, "");
    add(MessageRole::kUser, "lost");
    add(MessageRole::kUser, "asked");
    add(MessageRole::kAssistant, "answered");
    add(MessageRole::kUser, "new");
    const auto prompt = fit_context(backend_, source_);
    ASSERT_EQ(prompt->request.messages.size(), 3u);
    EXPECT_EQ(prompt->request.messages[0].content, "asked");
    EXPECT_EQ(prompt->request.messages[1].content, "answered");
}

TEST_F(ContextWindowTest, ThinkingGetsMoreRoom) {
    EXPECT_EQ(answer_room(8192, false), 1024);
    EXPECT_EQ(answer_room(8192, true), 4096);
    EXPECT_EQ(answer_room(1000, false), 250);
    EXPECT_EQ(answer_room(1000, true), 500);
}

TEST_F(ContextWindowTest, AnUnknownContextIsLeftToTheBackend) {
    backend_.context_length = 0;
    add_exchanges(5, 5000);
    add(MessageRole::kUser, "new");
    EXPECT_EQ(fit_context(backend_, source_)->request.messages.size(), 11u);
}

}  // namespace
}  // namespace notso::services

// One token per character (FakeBackend), so every sum below can be checked by hand.
#include "services/chat/compaction.hpp"

#include <gtest/gtest.h>

#include "services/chat/fake_backend.hpp"

namespace notso::services {
namespace {

class CompactionTest : public testing::Test {
  protected:
    void add_exchanges(int count, std::size_t size) {
        for (int i = 0; i < count; ++i) {
            add(MessageRole::kUser, size);
            add(MessageRole::kAssistant, size);
        }
    }
    void add(MessageRole role, std::size_t size) {
        Message message{.id = {std::to_string(source_.messages.size())},
                        .conversation = {"c"},
                        .text = std::string(size, 'x')};
        message.role = role;
        if (!source_.messages.empty()) message.parent = source_.messages.back().id;
        source_.messages.push_back(std::move(message));
    }
    std::optional<CompactStep> next(CompactReach reach) {
        auto step = next_compact_step(backend_, source_, reach);
        EXPECT_TRUE(step) << step.error().detail;
        return step ? *step : std::nullopt;
    }
    /// Takes every step with a summary of that many characters; the ids that they end at.
    std::vector<std::string> take_all(CompactReach reach, std::size_t size) {
        std::vector<std::string> ends;
        while (auto step = next(reach)) {
            ends.push_back(step->until.value);
            source_.summaries.push_back({.until = step->until, .text = std::string(size, 's')});
            if (ends.size() > 100) break;
        }
        return ends;
    }

    FakeBackend backend_;  // context 1000, room for the answer 250
    PromptSource source_ = {.conversation = {.id = {"c"}, .title = ""}, .messages = {}};
};

using Ids = std::vector<std::string>;

TEST_F(CompactionTest, TellsOfAllButTheNewestExchange) {
    add_exchanges(3, 20);
    const auto step = next(CompactReach::kAllButNewest);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->until.value, "3");
    ASSERT_EQ(step->messages.size(), 5U);
    EXPECT_EQ(step->messages.back().text, kSummaryInstruction);
    EXPECT_EQ(step->messages.back().role, MessageRole::kUser);
    EXPECT_EQ(step->max_tokens, 62);
    source_.summaries.push_back({.until = step->until, .text = "told"});
    EXPECT_FALSE(next(CompactReach::kAllButNewest)) << "there is nothing more to tell";
    add_exchanges(1, 20);
    EXPECT_EQ(next(CompactReach::kAllButNewest)->until.value, "5");
}

TEST_F(CompactionTest, ShortConversationsStayAsTheyAre) {
    EXPECT_FALSE(next(CompactReach::kAllButNewest));
    add_exchanges(1, 20);
    EXPECT_FALSE(next(CompactReach::kAllButNewest));
    add(MessageRole::kUser, 5);
    EXPECT_EQ(next(CompactReach::kAllButNewest)->until.value, "1");
    source_.messages.pop_back();
    add_exchanges(1, 20);
    EXPECT_FALSE(next(CompactReach::kToMakeRoom)) << "there is room";
}

TEST_F(CompactionTest, MakesRoomUntilAThirdIsUsed) {
    add_exchanges(6, 50);  // 600 of 750
    const auto step = next(CompactReach::kToMakeRoom);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->until.value, "7") << "two exchanges are 200, three would be 300 of 250";
}

TEST_F(CompactionTest, LongConversationsTakeSeveralSteps) {
    add_exchanges(30, 50);  // 3000, and 750 can be read at once
    const Ids ends = take_all(CompactReach::kAllButNewest, 60);
    EXPECT_GT(ends.size(), 4U);
    EXPECT_EQ(ends.back(), "57") << "all but the last";
    EXPECT_LT(ends.size(), 12U);
}

TEST_F(CompactionTest, AnExchangeThatIsTooLongIsReadInPart) {
    add_exchanges(1, 2000);
    add_exchanges(1, 10);
    const auto step = next(CompactReach::kAllButNewest);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->until.value, "1");
    EXPECT_TRUE(step->messages.front().text.ends_with(" […]"));
    source_.messages = step->messages;
    const auto prompt = fit_context(backend_, source_);
    ASSERT_TRUE(prompt);
    EXPECT_EQ(prompt->messages_left_out, 0);
    EXPECT_EQ(prompt->request.messages.size(), 3U);
}

TEST_F(CompactionTest, SaysThatTheSystemPromptLeavesNoRoom) {
    source_.conversation.settings.system_prompt = std::string(740, 's');
    add_exchanges(2, 20);
    const auto step = next_compact_step(backend_, source_, CompactReach::kAllButNewest);
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, ErrorCode::kContextLength);
    EXPECT_TRUE(step.error().detail.contains("shorten the system prompt"));
}

TEST_F(CompactionTest, NearlyFullBeginsAt85Percent) {
    EXPECT_FALSE(is_nearly_full(849, 1000));
    EXPECT_TRUE(is_nearly_full(850, 1000));
    EXPECT_FALSE(is_nearly_full(850, 0));
}

TEST_F(CompactionTest, SummariesAreTrimmedAndEndInAWholeSentence) {
    EXPECT_EQ(clean_summary(" \n\t ", true), "");
    EXPECT_EQ(clean_summary("\n A. B \n", true), "A. B");
    EXPECT_EQ(clean_summary("They spoke of Rome. And th", false), "They spoke of Rome.");
    EXPECT_EQ(clean_summary("A. and a very long sentence that has no end", false),
              "A. and a very long sentence that has no end");
}

}  // namespace
}  // namespace notso::services

// One token per character (FakeBackend), so every sum below can be checked by hand.
#include "services/chat/context_ledger.hpp"

#include <gtest/gtest.h>

#include "services/chat/fake_backend.hpp"

namespace notso::services {
namespace {

class ContextLedgerTest : public testing::Test {
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
            add(MessageRole::kUser, std::string(size, 'q'));
            add(MessageRole::kAssistant, std::string(size, 'a'));
        }
    }
    ContextLedger ledger() {
        add(MessageRole::kUser, "");
        auto ledger = make_ledger(backend_, source_);
        EXPECT_TRUE(ledger) << ledger.error().detail;
        return ledger.value_or(ContextLedger{});
    }

    FakeBackend backend_;  // context 1000, room for the answer 250
    PromptSource source_ = {.conversation = {.id = {"c"}, .title = ""}, .messages = {}};
};

std::vector<LedgerFate> fates(const ContextLedger& ledger) {
    std::vector<LedgerFate> fates;
    for (const LedgerRow& row : ledger.rows) fates.push_back(row.fate);
    return fates;
}

constexpr LedgerFate kKept = LedgerFate::kKept;
constexpr LedgerFate kSummarised = LedgerFate::kSummarised;
constexpr LedgerFate kLeftOut = LedgerFate::kLeftOut;
using Fates = std::vector<LedgerFate>;

TEST_F(ContextLedgerTest, ANewConversationHasWhatIsPinned) {
    source_.conversation.settings.system_prompt = std::string(30, 's');
    const auto found = ledger();
    EXPECT_EQ(found.total, 30);
    EXPECT_EQ(found.fixed, 30);
    EXPECT_EQ(found.context, 1000);
    EXPECT_EQ(found.budget, 750);
    EXPECT_TRUE(found.rows.empty());
    EXPECT_FALSE(found.can_compact);
}

TEST_F(ContextLedgerTest, EveryMessageHasItsTokens) {
    add(MessageRole::kUser, "one\ntwo");
    add(MessageRole::kAssistant, std::string(300, 'x'));
    add_exchanges(1, 10);
    const auto found = ledger();
    ASSERT_EQ(fates(found), (Fates{kKept, kKept, kKept, kKept}));
    EXPECT_EQ(found.rows[0].text, "one two");
    EXPECT_EQ(found.rows[0].tokens, 8) << "and one of the answer's";
    EXPECT_EQ(found.rows[1].tokens, 299);
    EXPECT_EQ(found.rows[1].text, std::string(120, 'x') + "…");
    EXPECT_EQ(found.rows[1].message.value, "1");
    EXPECT_EQ(found.rows[1].role, MessageRole::kAssistant);
    EXPECT_EQ(found.total, 7 + 300 + 20);
    EXPECT_EQ(found.fixed, 0);
    EXPECT_TRUE(found.can_compact);
}

TEST_F(ContextLedgerTest, SaysWhatIsLeftOut) {
    add_exchanges(9, 50);
    const auto found = ledger();
    EXPECT_EQ(found.left_out, 4);
    EXPECT_EQ(found.total, 700);
    ASSERT_EQ(found.rows.size(), 18U);
    EXPECT_EQ(found.rows[3].fate, kLeftOut);
    EXPECT_EQ(found.rows[4].fate, kKept);
}

TEST_F(ContextLedgerTest, SaysWhatIsSummarised) {
    add_exchanges(3, 50);
    source_.summaries = {{.until = {"1"}, .text = "first"}, {.until = {"3"}, .text = "both"}};
    const auto found = ledger();
    EXPECT_EQ(fates(found),
              (Fates{kSummarised, kSummarised, kSummarised, kSummarised, kKept, kKept}));
    EXPECT_EQ(found.summary, "both");
    EXPECT_GT(found.summary_tokens, 4);
    EXPECT_EQ(found.total, found.summary_tokens + 100);
    EXPECT_EQ(found.left_out, 0);
    EXPECT_FALSE(found.can_compact) << "one exchange is left";
}

TEST_F(ContextLedgerTest, ASummaryOfAnotherBranchIsNotUsed) {
    add_exchanges(2, 50);
    source_.summaries = {{.until = {"elsewhere"}, .text = "not ours"}};
    const auto found = ledger();
    EXPECT_EQ(found.summary, "");
    EXPECT_EQ(found.total, 200);
}

TEST_F(ContextLedgerTest, ASummaryGivesWayToTheNewestMessageOnly) {
    add_exchanges(2, 50);
    source_.summaries = {{.until = {"1"}, .text = std::string(500, 's')}};
    add(MessageRole::kUser, std::string(400, 'n'));
    const auto prompt = fit_context(backend_, source_);
    ASSERT_TRUE(prompt);
    EXPECT_FALSE(prompt->has_summary);
    EXPECT_EQ(prompt->messages_left_out, 4) << "never silently";
    EXPECT_EQ(prompt->tokens, 400);
}

TEST_F(ContextLedgerTest, LongHistoriesAreCountedTogether) {
    add_exchanges(300, 50);
    const auto found = ledger();
    EXPECT_EQ(found.older, 2 * (293 - 100));
    EXPECT_EQ(std::ssize(found.rows), 600 - found.older);
    EXPECT_EQ(found.left_out, 2 * 293);
}

TEST_F(ContextLedgerTest, TheBarTakesWhatTheLastAnswerTold) {
    constexpr std::int64_t kContext = 1000;
    add_exchanges(2, 50);
    source_.messages[1].stats = {.prompt_tokens = 10, .completion_tokens = 5};
    source_.messages[3].stats = {
        .prompt_tokens = 200, .completion_tokens = 90, .reasoning_tokens = 40};
    source_.messages[3].created_at = 100;
    const auto plain = context_use(kContext, false, source_.messages, {});
    EXPECT_EQ(plain.used, 250);
    EXPECT_EQ(plain.budget, 750);
    EXPECT_EQ(plain.summarised, 0);
    Summary summary{.until = {"1"}, .text = "t", .prompt_tokens = 120, .created_at = 101};
    const auto summarised = context_use(kContext, false, source_.messages, {summary});
    EXPECT_EQ(summarised.used, 120);
    EXPECT_EQ(summarised.summarised, 2);
    summary.created_at = 99;
    EXPECT_EQ(context_use(kContext, false, source_.messages, {summary}).used, 250);
    EXPECT_EQ(context_use(kContext, true, source_.messages, {}).budget, 500);
}

}  // namespace
}  // namespace notso::services

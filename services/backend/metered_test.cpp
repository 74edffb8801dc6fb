#include "services/backend/metered.hpp"

#include <gtest/gtest.h>

#include "services/backend/event_recorder.hpp"
#include "services/backend/stub.hpp"
#include "services/chat/fake_backend.hpp"

namespace notso::services {
namespace {

class MeteredBackendTest : public testing::Test {
  protected:
    MeteredBackendTest() {
        auto fake = std::make_unique<FakeBackend>();
        fake_ = fake.get();
        metered_ = std::make_unique<MeteredBackend>(std::move(fake));
    }

    /// Starts a request and gives it these events.
    void play(ChatPriority priority, std::vector<ChatEvent> events) {
        ChatRequest request;
        request.priority = priority;
        auto recorder = EventRecorder::create();
        const std::size_t expected = events.size();
        auto stream = metered_->start(request, recorder->handler());
        ASSERT_TRUE(stream);
        fake_->emit(fake_->call(fake_->n_calls() - 1), std::move(events));
        fake_->wait_given();
        EXPECT_EQ(recorder->events().size(), expected) << "everything is passed on";
    }
    static std::uint64_t total(const Histogram& histogram) {
        std::uint64_t sum = 0;
        for (const std::uint64_t count : histogram.counts()) sum += count;
        return sum;
    }

    FakeBackend* fake_ = nullptr;
    std::unique_ptr<MeteredBackend> metered_;
};

TEST_F(MeteredBackendTest, CountsTokensAndOutcomes) {
    const ChatUsage usage{.prompt_tokens = 10,
                          .cached_tokens = 4,
                          .completion_tokens = 3,
                          .draft_tokens = 2,
                          .accepted_tokens = 1};
    play(ChatPriority::kApi,
         {chat_event::Queued{0},
          chat_event::Prefill{0, 10},
          chat_event::Prefill{10, 10},
          chat_event::Progress{1},
          chat_event::Text{"secret"},
          chat_event::Progress{2},
          chat_event::End{.finish = ChatFinish::kLength, .usage = usage}});
    const BackendMetrics metrics = metered_->metrics();
    const RequestCounts& counts = metrics.counts[1];
    EXPECT_EQ(counts.ended, (std::array<std::uint64_t, 5>{0, 1, 0, 0}));
    EXPECT_EQ(counts.prompt_tokens, 10U);
    EXPECT_EQ(counts.cached_tokens, 4U);
    EXPECT_EQ(counts.generated_tokens, 3U) << "the end knows of one that no event told";
    EXPECT_EQ(counts.draft_tokens, 2U);
    EXPECT_EQ(counts.accepted_tokens, 1U);
    EXPECT_EQ(total(metrics.queue), 1U);
    EXPECT_EQ(total(metrics.first_token), 1U);
    EXPECT_EQ(total(metrics.inter_token), 1U);
    EXPECT_EQ(metrics.counts[0].prompt_tokens, 0U);
}

TEST_F(MeteredBackendTest, GeneratedTokensCountAsTheyCome) {
    auto recorder = EventRecorder::create();
    auto stream = metered_->start({}, recorder->handler());
    fake_->emit(fake_->call(0), {chat_event::Progress{1}, chat_event::Progress{4}});
    fake_->wait_given();
    EXPECT_EQ(metered_->metrics().counts[0].generated_tokens, 4U);
}

TEST_F(MeteredBackendTest, BackgroundWorkIsNotInTheTimes) {
    play(ChatPriority::kBackground,
         {chat_event::Prefill{0, 1},
          chat_event::Progress{1},
          chat_event::Progress{2},
          chat_event::End{.usage = {.completion_tokens = 2}}});
    const BackendMetrics metrics = metered_->metrics();
    EXPECT_EQ(metrics.counts[2].generated_tokens, 2U);
    EXPECT_EQ(total(metrics.queue) + total(metrics.first_token) + total(metrics.inter_token), 0U);
}

TEST_F(MeteredBackendTest, CountsRefusalsByReason) {
    fake_->start_error = Error{ErrorCode::kOverloaded, "full"};
    const auto refused = metered_->start({}, [](ChatEvent) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "full");
    EXPECT_EQ(metered_->metrics().counts[0].refused.at(ErrorCode::kOverloaded), 1U);
}

TEST(MeteredStubTest, SaysWhenTheQueueIsFull) {
    MeteredBackend metered(make_stub_backend({.max_running = 1, .max_waiting = 1}));
    EXPECT_TRUE(metered.admit(ChatPriority::kApi));
    ChatRequest request;
    request.messages.push_back({.role = "user", .content = "[slow] [long 1000]"});
    auto recorder = EventRecorder::create();
    const auto running = metered.start(request, recorder->handler());
    ASSERT_TRUE(recorder->wait_for<chat_event::Progress>());
    EXPECT_TRUE(metered.admit(ChatPriority::kApi));
    const auto waiting = metered.start(request, [](ChatEvent) {});
    const auto refused = metered.admit(ChatPriority::kApi);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
    EXPECT_EQ(metered.metrics().counts[1].refused.at(ErrorCode::kOverloaded), 1U);
}

TEST(MeteredStubTest, EstimatesTheWait) {
    MeteredBackend metered(
        make_stub_backend({.word_delay = std::chrono::milliseconds(20), .max_running = 1}));
    EXPECT_EQ(metered.health().wait_ms, 0);
    const auto ask = [&metered](std::string text) {
        ChatRequest request;
        request.messages.push_back({.role = "user", .content = std::move(text)});
        auto recorder = EventRecorder::create();
        auto stream = metered.start(request, recorder->handler());
        return std::pair(*std::move(stream), recorder);
    };
    const auto first = ask("[long 5]");
    ASSERT_TRUE(first.second->wait_for<chat_event::End>());
    const auto slow = ask("[long 1000]");
    ASSERT_TRUE(slow.second->wait_for<chat_event::Progress>());
    const double one = metered.health().wait_ms;
    EXPECT_GE(one, 80) << "an answer took five words";
    const auto next = ask("[long 1000]");
    ASSERT_TRUE(next.second->wait_for<chat_event::Queued>());
    EXPECT_DOUBLE_EQ(metered.health().wait_ms, 2 * one);
}

}  // namespace
}  // namespace notso::services

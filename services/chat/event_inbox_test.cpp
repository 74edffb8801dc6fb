#include "services/chat/event_inbox.hpp"

#include <gtest/gtest.h>

#include "base/serial_worker.hpp"

namespace notso::services {
namespace {

TEST(EventInbox, DeliversInOrderWithOneTaskForABurst) {
    RunLoop loop;
    std::vector<std::int64_t> seen;
    int deliveries = 0;
    const auto inbox = std::make_shared<EventInbox>(loop, [&](std::vector<TimedEvent> events) {
        ++deliveries;
        EXPECT_FALSE(events.empty());
        for (const TimedEvent& timed : events) {
            seen.push_back(std::get<chat_event::Progress>(timed.event).completion_tokens);
        }
    });
    for (std::int64_t i = 0; i < 100; ++i) inbox->push(chat_event::Progress{i});
    loop.run_until([&] { return seen.size() == 100; });
    EXPECT_EQ(deliveries, 1);
    SerialWorker other("test-engine");
    for (std::int64_t i = 100; i < 5000; ++i) {
        other.post([&, i] { inbox->push(chat_event::Progress{i}); });
    }
    loop.run_until([&] { return seen.size() == 5000; });
    for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], static_cast<std::int64_t>(i));
}

}  // namespace
}  // namespace notso::services

// Random interleavings: whatever arrives when, and whoever reads from where, the events add up to
// the snapshot, the snapshot is the stored text, and the store never lags behind what was shown.
#include <random>

#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

using namespace chat_event;

struct Sum {
    std::uint64_t seq = 0;
    std::string thinking;
    std::string text;
    bool ended = false;

    void add(const FeedEvent& event) {
        EXPECT_EQ(event.seq, seq + 1);
        EXPECT_FALSE(ended);
        seq = event.seq;
        if (const auto* piece = std::get_if<feed_event::Text>(&event.body)) text += piece->text;
        if (const auto* piece = std::get_if<feed_event::ThinkingText>(&event.body))
            thinking += piece->text;
        ended = std::holds_alternative<feed_event::Ended>(event.body);
    }
    static Sum of(const FeedSnapshot& snapshot) {
        return {snapshot.seq, snapshot.thinking, snapshot.text, snapshot.ended.has_value()};
    }
    bool operator==(const Sum&) const = default;
};

class TurnPropertyTest : public ChatFixture {
  protected:
    std::size_t pick(std::size_t n) { return random_() % n; }

    std::vector<ChatEvent> script() {
        std::vector<ChatEvent> events;
        if (pick(2) == 0) events.push_back(Queued{static_cast<std::int64_t>(pick(4))});
        events.push_back(Prefill{1, 2});
        const std::size_t n = pick(80);
        for (std::size_t i = 0; i < n; ++i) {
            switch (pick(6)) {
                case 0:
                    events.push_back(ThinkingStarted{});
                    break;
                case 1:
                    events.push_back(ThinkingText{"t" + std::to_string(i) + "é"});
                    break;
                case 2:
                    events.push_back(ThinkingEnded{});
                    break;
                case 3:
                    events.push_back(Progress{static_cast<std::int64_t>(i)});
                    break;
                default:
                    events.emplace_back(Text{"w" + std::to_string(i) + "🙂"});
                    break;
            }
        }
        events.emplace_back(End{});
        return events;
    }

    // What the script says, as far as `count` events.
    static Sum said(const std::vector<ChatEvent>& events) {
        Sum sum;
        for (const ChatEvent& event : events) {
            if (const auto* text = std::get_if<Text>(&event)) sum.text += text->text;
            if (const auto* thought = std::get_if<ThinkingText>(&event))
                sum.thinking += thought->text;
        }
        return sum;
    }

    void emit_in_slices(std::vector<ChatEvent> events) {
        const auto call = backend_.call(backend_.n_calls() - 1);
        while (!events.empty()) {
            const auto n = static_cast<std::ptrdiff_t>(1 + pick(events.size()));
            backend_.emit(call, {events.begin(), events.begin() + n});
            events.erase(events.begin(), events.begin() + n);
        }
    }

    void run_one(int round) {
        const Conversation conversation = new_conversation();
        const auto sent = send(conversation.id, "q" + std::to_string(round));
        ASSERT_TRUE(sent) << sent.error().detail;
        const auto feed = sent->feed;
        while (backend_.n_calls() <= static_cast<std::size_t>(round)) std::this_thread::yield();

        std::vector<std::pair<Sum, TurnFeed::Subscription>> readers(4);
        const auto read = [&feed](Sum& sum) {
            if (const auto events = feed->since(sum.seq)) {
                for (const FeedEvent& event : *events) sum.add(event);
            }
        };
        for (auto& [sum, subscription] : readers) {
            subscription = feed->subscribe([this, &sum, &read] {
                if (pick(3) == 0) loop_.post([&sum, &read] { read(sum); });
            });
        }
        const auto events = script();
        emit_in_slices(events);
        const bool stopped = pick(3) == 0;
        std::size_t steps = pick(20);
        if (stopped) {
            loop_.run_until([&] { return steps-- == 0 || feed->ended(); });
            ASSERT_TRUE(stop(conversation.id));
        }
        const Message end = wait_end(feed);
        ASSERT_TRUE(open(conversation.id));  // the readers' tasks have run after this
        const Sum whole = Sum::of(feed->snapshot());
        for (auto& [sum, subscription] : readers) {
            read(sum);
            EXPECT_EQ(sum, whole);
        }
        EXPECT_EQ(end.text, whole.text);
        EXPECT_EQ(end.thinking, whole.thinking);
        const Message kept = stored(conversation.id, end.id);
        EXPECT_EQ(kept.text, whole.text);
        EXPECT_EQ(kept.thinking, whole.thinking);
        EXPECT_EQ(kept.state, end.state);
        const Sum all = said(events);
        EXPECT_TRUE(all.text.starts_with(whole.text));
        EXPECT_TRUE(all.thinking.starts_with(whole.thinking));
        const bool complete = end.state == MessageState::kComplete;
        EXPECT_TRUE(!complete || whole.text == all.text);
        EXPECT_TRUE(stopped || complete);
    }

    std::mt19937 random_{20261123};
};

TEST_F(TurnPropertyTest, EventsSnapshotAndStoredTextAgree) {
    for (int round = 0; round < 300 && !HasFailure(); ++round) {
        SCOPED_TRACE(round);
        run_one(round);
    }
}

TEST_F(TurnPropertyTest, NothingIsShownBeforeItIsStored) {
    const Conversation conversation = new_conversation();
    const auto sent = send(conversation.id, "question");
    const auto feed = sent->feed;
    backend_.call(0);
    int checked = 0;
    const auto subscription = feed->subscribe([&] {
        EXPECT_LE(feed->snapshot().text.size(), store_->piece_bytes);
        ++checked;
    });
    std::vector<ChatEvent> events;
    for (int i = 0; i < 500; ++i) events.emplace_back(Text{std::to_string(i)});
    emit_in_slices(events);
    emit_in_slices({End{}});
    const Message end = wait_end(feed);
    EXPECT_EQ(end.text.size(), store_->piece_bytes);
    EXPECT_GT(checked, 2);
}

}  // namespace
}  // namespace notso::services

#include "services/chat/turn_feed.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace notso::services {
namespace {

std::shared_ptr<TurnFeed> make_feed() {
    return std::make_shared<TurnFeed>(MessageId{"answer"},
                                      ConversationKey({"owner"}, {"conversation"}));
}

Message ended_message(std::string text) {
    return {.id = {"answer"}, .conversation = {"conversation"}, .text = std::move(text)};
}

TEST(TurnFeed, NumbersEventsAndAddsThemUp) {
    const auto feed = make_feed();
    feed->append(feed_event::Status{{.phase = TurnPhase::kThinking}});
    EXPECT_TRUE(feed->snapshot().thinking_open);
    feed->append(feed_event::ThinkingText{"hmm"});
    feed->append(feed_event::Status{{.phase = TurnPhase::kWriting, .completion_tokens = 3}});
    EXPECT_FALSE(feed->snapshot().thinking_open);
    feed->append(feed_event::Text{"Par"});
    feed->append(feed_event::Text{"is"});
    const FeedSnapshot& now = feed->snapshot();
    EXPECT_EQ(now.seq, 5u);
    EXPECT_EQ(now.thinking, "hmm");
    EXPECT_EQ(now.text, "Paris");
    EXPECT_EQ(now.status.completion_tokens, 3);
    EXPECT_FALSE(feed->ended());
    feed->append(feed_event::Ended{ended_message("Paris")});
    EXPECT_TRUE(feed->ended());
    EXPECT_EQ(feed->snapshot().status.phase, TurnPhase::kEnded);
}

TEST(TurnFeed, ReplaysWhatFollowsAnEvent) {
    const auto feed = make_feed();
    EXPECT_TRUE(feed->since(0)->empty());
    EXPECT_EQ(feed->since(1), std::nullopt) << "an event that does not exist yet";
    for (const char* piece : {"a", "b", "c"}) feed->append(feed_event::Text{piece});
    const auto tail = feed->since(1);
    ASSERT_EQ(tail->size(), 2u);
    EXPECT_EQ((*tail)[0].seq, 2u);
    EXPECT_EQ(std::get<feed_event::Text>((*tail)[1].body).text, "c");
    EXPECT_EQ(feed->since(0)->size(), 3u);
    EXPECT_TRUE(feed->since(3)->empty());
    EXPECT_EQ(feed->since(UINT64_MAX), std::nullopt);
}

TEST(TurnFeed, KnowsHowMuchWasShownAtEachEvent) {
    const auto feed = make_feed();
    feed->append(feed_event::ThinkingText{"12345"});
    feed->append(feed_event::Text{"ab"});
    EXPECT_EQ(feed->extent_at(0)->text, 0u);
    EXPECT_EQ(feed->extent_at(1)->thinking, 5u);
    EXPECT_EQ(feed->extent_at(1)->text, 0u);
    EXPECT_EQ(feed->extent_at(2)->text, 2u);
    EXPECT_EQ(feed->extent_at(3), std::nullopt);
    EXPECT_EQ(feed->extent_at(UINT64_MAX), std::nullopt);
}

TEST(TurnFeed, ForgetsOldEventsButNeverTheSnapshot) {
    const auto feed = make_feed();
    for (int i = 0; i < 10'000; ++i) feed->append(feed_event::Text{"x"});
    EXPECT_EQ(feed->since(0), std::nullopt);
    EXPECT_EQ(feed->since(9'999)->size(), 1u);
    EXPECT_EQ(feed->snapshot().text.size(), 10'000u);
    EXPECT_EQ(feed->extent_at(17)->text, 17u);

    const auto heavy = make_feed();
    heavy->append(feed_event::Text{"first"});
    heavy->append(feed_event::Text{std::string(std::size_t{2} << 20, 'y')});
    EXPECT_EQ(heavy->since(0), std::nullopt);
    EXPECT_EQ(heavy->since(1)->size(), 1u) << "the newest event is always there";
}

TEST(TurnFeed, WakesEveryReaderUntilItLeaves) {
    const auto feed = make_feed();
    int first = 0;
    int second = 0;
    auto one = feed->subscribe([&] { ++first; });
    auto two = feed->subscribe([&] { ++second; });
    feed->append(feed_event::Text{"a"});
    one.reset();
    feed->append(feed_event::Text{"b"});
    TurnFeed::Subscription moved = std::move(two);
    feed->append(feed_event::Text{"c"});
    moved = TurnFeed::Subscription();
    feed->append(feed_event::Text{"d"});
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 3);
}

TEST(TurnFeed, ReadersMayLeaveAndJoinWhileBeingWoken) {
    const auto feed = make_feed();
    std::optional<TurnFeed::Subscription> self;
    std::optional<TurnFeed::Subscription> other;
    std::vector<TurnFeed::Subscription> joined;
    int self_calls = 0;
    int other_calls = 0;
    int joined_calls = 0;
    self = feed->subscribe([&] {
        ++self_calls;
        for (int i = 0; i < 100; ++i) joined.push_back(feed->subscribe([&] { ++joined_calls; }));
        other.reset();
        self.reset();
    });
    other = feed->subscribe([&] { ++other_calls; });
    feed->append(feed_event::Text{"a"});
    EXPECT_EQ(self_calls, 1);
    EXPECT_EQ(other_calls, 0) << "left before its turn came";
    EXPECT_EQ(joined_calls, 0) << "joined after the event";
    feed->append(feed_event::Text{"b"});
    EXPECT_EQ(self_calls, 1);
    EXPECT_EQ(joined_calls, 100);
}

TEST(TurnFeed, LivesUntilTheLastReaderIsGone) {
    auto feed = make_feed();
    auto reader = std::make_optional(feed->subscribe([] {}));
    const std::weak_ptr<TurnFeed> watch = feed;
    feed.reset();
    EXPECT_FALSE(watch.expired());
    reader.reset();
    EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace notso::services

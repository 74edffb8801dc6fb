#include "services/chat/feed_shelf.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

std::shared_ptr<TurnFeed> feed_of(int n) {
    return std::make_shared<TurnFeed>(MessageId{std::to_string(n)},
                                      ConversationKey({"o"}, {n % 2 == 0 ? "even" : "odd"}));
}

TEST(FeedShelf, KeepsTheNewestOnly) {
    FeedShelf shelf;
    for (int n = 0; n < 100; ++n) shelf.add(feed_of(n));
    EXPECT_EQ(shelf.size(), FeedShelf::kMaxFeeds);
    EXPECT_EQ(shelf.find({"35"}), nullptr);
    EXPECT_NE(shelf.find({"36"}), nullptr);
    EXPECT_NE(shelf.find({"99"}), nullptr);
}

TEST(FeedShelf, ForgetsWhatIsOldAndWhatWasDeleted) {
    FeedShelf shelf;
    const auto start = SteadyClock::now();
    shelf.add(feed_of(1), start);
    shelf.add(feed_of(2), start + std::chrono::minutes(4));
    shelf.add(feed_of(3), start + std::chrono::minutes(6));
    EXPECT_EQ(shelf.find({"1"}), nullptr);
    EXPECT_NE(shelf.find({"2"}), nullptr);
    shelf.drop({{"other"}, {"even"}});
    shelf.drop({{"o"}, {"odd"}});
    EXPECT_EQ(shelf.find({"3"}), nullptr);
    EXPECT_NE(shelf.find({"2"}), nullptr);
}

}  // namespace
}  // namespace notso::services

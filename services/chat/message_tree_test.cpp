#include "services/chat/message_tree.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

Message make(std::string id, std::string parent, MessageRole role = MessageRole::kUser) {
    Message message{.id = {std::move(id)}, .conversation = {"c"}, .role = role, .text = ""};
    if (!parent.empty()) message.parent = MessageId{std::move(parent)};
    return message;
}

std::string names(const std::vector<Message>& messages) {
    std::string line;
    for (const Message& message : messages) line += message.id.value;
    return line;
}

// a ─ B ┬ c ─ D ─ e ─ F     questions small, answers capital
//       └ x ┬ Y
//           └ Z
const std::vector<Message> kTree = {
    make("a", ""),
    make("B", "a", MessageRole::kAssistant),
    make("c", "B"),
    make("D", "c", MessageRole::kAssistant),
    make("x", "B"),
    make("Y", "x", MessageRole::kAssistant),
    make("e", "D"),
    make("F", "e", MessageRole::kAssistant),
    make("Z", "x", MessageRole::kAssistant),
};

TEST(MessageTree, APathGoesFromTheFirstMessageToTheLeaf) {
    EXPECT_EQ(names(path_to(kTree, {"F"})), "aBcDeF");
    EXPECT_EQ(names(path_to(kTree, {"Y"})), "aBxY");
    EXPECT_EQ(names(path_to(kTree, {"c"})), "aBc");
    EXPECT_EQ(names(path_to(kTree, {""})), "aBxZ") << "of no leaf the newest message's";
    EXPECT_EQ(names(path_to(kTree, {"gone"})), "aBxZ");
    EXPECT_TRUE(path_to({}, {"a"}).empty());
}

TEST(MessageTree, TheNewestPathThroughAMessageEndsAtTheLastOneBelowIt) {
    EXPECT_EQ(newest_end(kTree, {"c"}).value, "F");
    EXPECT_EQ(newest_end(kTree, {"x"}).value, "Z");
    EXPECT_EQ(newest_end(kTree, {"Y"}).value, "Y");
    EXPECT_EQ(newest_end(kTree, {"a"}).value, "Z");
}

TEST(MessageTree, VersionsHaveTheSameParentAndRole) {
    const auto path = path_to(kTree, {"Z"});
    const auto versions = versions_of(kTree, path);
    ASSERT_EQ(versions.size(), path.size());
    EXPECT_EQ(versions[0].ids.size(), 1U);
    EXPECT_EQ(versions[2].ids, (std::vector<MessageId>{{"c"}, {"x"}}));
    EXPECT_EQ(versions[2].index, 1U);
    EXPECT_EQ(versions[3].ids, (std::vector<MessageId>{{"Y"}, {"Z"}}));
}

TEST(MessageTree, ADamagedTreeIsNoEndlessWalk) {
    const std::vector<Message> ring = {make("a", "b"), make("b", "a"), make("c", "c")};
    EXPECT_EQ(names(path_to(ring, {"b"})), "ab");
    EXPECT_EQ(names(path_to(ring, {"c"})), "c");
    EXPECT_EQ(newest_end(ring, {"a"}).value, "b");
}

}  // namespace
}  // namespace notso::services

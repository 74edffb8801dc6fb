// Placing system texts, and what a template sees of a message.
#include "services/prompt/messages.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

ChatMessage say(std::string role, std::string content) {
    return {.role = std::move(role), .content = std::move(content)};
}

std::string flat(const std::vector<ChatMessage>& messages) {
    std::string text;
    for (const ChatMessage& message : messages) text += message.role + ":" + message.content + "|";
    return text;
}

TEST(Messages, SystemTextsAreMergedInOrder) {
    const std::vector<ChatMessage> messages = {say("user", "u1"),
                                               say("system", "s1"),
                                               say("assistant", "a"),
                                               say("developer", "s2"),
                                               say("user", "u2")};
    EXPECT_EQ(flat(place_system(messages, SystemPlacement::kMergedFirst)),
              "system:s1\n\ns2|user:u1|assistant:a|user:u2|");
    EXPECT_EQ(flat(place_system(messages, SystemPlacement::kInFirstUser)),
              "user:s1\n\ns2\n\nu1|assistant:a|user:u2|");
    EXPECT_EQ(flat(place_system(messages, SystemPlacement::kAsGiven)), flat(messages));
}

TEST(Messages, NoSystemTextChangesNothing) {
    const std::vector<ChatMessage> messages = {say("user", "u1"), say("assistant", "a")};
    for (const auto placement : {SystemPlacement::kMergedFirst, SystemPlacement::kInFirstUser}) {
        EXPECT_EQ(flat(place_system(messages, placement)), flat(messages));
    }
    EXPECT_FALSE(has_system(messages));
    EXPECT_TRUE(has_system({say("developer", "")}));
}

TEST(Messages, ASystemTextAloneBecomesAUserMessage) {
    EXPECT_EQ(flat(place_system({say("system", "s")}, SystemPlacement::kInFirstUser)), "user:s|");
}

TEST(Messages, RolesAreChecked) {
    EXPECT_TRUE(check_roles({say("system", ""),
                             say("developer", ""),
                             say("user", ""),
                             say("assistant", ""),
                             say("tool", "")}));
    const auto refused = check_roles({say("user", ""), say("User", "")});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().detail.starts_with("messages[1].role"));
}

TEST(Messages, AbsentFieldsAreLeftOut) {
    EXPECT_EQ(to_template_message(say("user", "hi")),
              (boost::json::object{{"role", "user"}, {"content", "hi"}}));
    ChatMessage tool = say("tool", "21");
    tool.name = "weather";
    tool.tool_call_id = "c1";
    EXPECT_EQ(
        to_template_message(tool),
        (boost::json::object{
            {"role", "tool"}, {"content", "21"}, {"name", "weather"}, {"tool_call_id", "c1"}}));
}

}  // namespace
}  // namespace notso::services

// Long conversations are shown in pages that neither overlap nor leave anything out.
#include "web/pages/message_window.hpp"

#include <gtest/gtest.h>

namespace notso::web {
namespace {

using services::Message;
using services::MessageRole;

std::vector<Message> conversation(std::size_t count, std::size_t bytes = 10) {
    std::vector<Message> messages;
    for (std::size_t i = 0; i < count; ++i) {
        messages.push_back({.id = {fmt::format("m{}", i)},
                            .conversation = {"c"},
                            .role = i % 2 == 0 ? MessageRole::kUser : MessageRole::kAssistant,
                            .text = std::string(bytes, 'x')});
    }
    return messages;
}

TEST(MessageWindow, AShortConversationIsOnePage) {
    for (const std::size_t count : {0U, 1U, 2U, 24U}) {
        const auto messages = conversation(count);
        EXPECT_EQ(window_before(messages, count), (MessageWindow{0, count})) << count;
    }
}

TEST(MessageWindow, PagesMeet) {
    for (const std::size_t count : {25U, 500U, 501U}) {
        for (const std::size_t bytes : {std::size_t{1}, kMostShownBytes / 5, kMostShownBytes * 2}) {
            const auto messages = conversation(count, bytes);
            std::size_t end = count;
            while (end > 0) {
                const MessageWindow window = window_before(messages, end);
                ASSERT_LT(window.begin, end);
                ASSERT_LE(end - window.begin, kMostShownMessages);
                ASSERT_TRUE(end - window.begin == 1 ||
                            (end - window.begin) * bytes <= kMostShownBytes);
                end = window.begin;
            }
        }
    }
}

TEST(MessageWindow, APageBeginsWithWhatThePersonSaid) {
    const auto messages = conversation(501);
    EXPECT_EQ(messages[window_before(messages, 501).begin].role, MessageRole::kUser);
    EXPECT_EQ(messages[window_before(messages, 101).begin].role, MessageRole::kUser);
}

TEST(MessageWindow, TheMessageThatIsLookedForIsThere) {
    const auto messages = conversation(301);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const MessageWindow window = window_at(messages, messages[i].id.value);
        EXPECT_LE(window.begin, i);
        EXPECT_LT(i, window.end);
    }
    EXPECT_EQ(window_at(messages, "elsewhere").end, 301U);
    EXPECT_EQ(window_at(messages, "").end, 301U);
}

TEST(MessageWindow, WhatComesAfterAnOldPageIsNotOnIt) {
    services::ConversationView view{.conversation = {.id = {"c"}, .title = "t"},
                                    .messages = conversation(60),
                                    .running = nullptr};
    view.versions.resize(60);
    view.can_continue = true;
    view.follow_ups = {"And then?"};
    services::ConversationView old = view;
    narrow(old, {10, 20});
    EXPECT_EQ(old.messages.size(), 10U);
    EXPECT_EQ(old.messages.front().id.value, "m10");
    EXPECT_EQ(old.versions.size(), 10U);
    EXPECT_FALSE(old.can_continue);
    EXPECT_TRUE(old.follow_ups.empty());
    narrow(view, {40, 60});
    EXPECT_EQ(view.messages.back().id.value, "m59");
    EXPECT_TRUE(view.can_continue);
}

}  // namespace
}  // namespace notso::web

// What is one message of the lines that somebody types.
#include "app/terminal/typed_message.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace notso::app {
namespace {

/// The messages of these lines; what is still open at their end comes last, after "open:".
std::vector<std::string> messages_of(const std::vector<std::string>& lines) {
    TypedMessage message;
    std::vector<std::string> messages;
    for (const std::string& line : lines)
        if (message.add(line)) messages.push_back(message.take());
    if (message.is_open()) messages.push_back("open:" + message.take());
    return messages;
}

using Lines = std::vector<std::string>;

TEST(TypedMessage, ALineIsAMessage) {
    EXPECT_EQ(messages_of({"one", "", " two "}), (Lines{"one", "", " two "}));
}

TEST(TypedMessage, ABackslashAtTheEndGoesOn) {
    EXPECT_EQ(messages_of({"a\\", "b\\", "c", "d"}), (Lines{"a\nb\nc", "d"}));
    EXPECT_EQ(messages_of({"C:\\\\", "x"}), (Lines{"C:\\\\", "x"}));
    EXPECT_EQ(messages_of({"a\\ ", "b"}), (Lines{"a\\ ", "b"}));
    EXPECT_EQ(messages_of({"\\", ""}), (Lines{"\n"}));
    EXPECT_EQ(messages_of({"a\\"}), (Lines{"open:a\n"}));
}

TEST(TypedMessage, QuotesHoldABlock) {
    EXPECT_EQ(messages_of({"\"\"\"", "a", "", " b\\", "\"\"\"", "c"}), (Lines{"a\n\n b\\", "c"}));
    EXPECT_EQ(messages_of({"  \"\"\"a", "b\"\"\"  ", "c"}), (Lines{"a\nb", "c"}));
    EXPECT_EQ(messages_of({"\"\"\"a b\"\"\""}), (Lines{"a b"}));
    EXPECT_EQ(messages_of({"\"\"\"\"\"\""}), (Lines{""}));
    EXPECT_EQ(messages_of({"\"\"\"", "\"\"\""}), (Lines{""}));
    EXPECT_EQ(messages_of({"\"\"\"", "", "a", "\"\"\""}), (Lines{"\na"}));
    EXPECT_EQ(messages_of({"\"\"\"", "/new", "a"}), (Lines{"open:/new\na"}));
    EXPECT_EQ(messages_of({"say \"\"\"", "b"}), (Lines{"say \"\"\"", "b"}));
}

TEST(TypedMessage, WhatWasPastedIsWhole) {
    EXPECT_EQ(messages_of({"\"\"\"doc\nstring", "next"}), (Lines{"\"\"\"doc\nstring", "next"}));
    EXPECT_EQ(messages_of({"a\nb\\", "next"}), (Lines{"a\nb\\", "next"}));
    EXPECT_EQ(messages_of({"\"\"\"", "a\nb", "\"\"\""}), (Lines{"a\nb"}));
    EXPECT_EQ(messages_of({"\"\"\"a", "b\nc\"\"\"", "\"\"\""}), (Lines{"a\nb\nc\"\"\""}));
}

}  // namespace
}  // namespace notso::app

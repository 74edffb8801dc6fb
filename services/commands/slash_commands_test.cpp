// Which texts are commands, and what is read of them.
#include "services/commands/slash_commands.hpp"

#include <gtest/gtest.h>

#include <set>

namespace notso::services {
namespace {

TEST(SlashCommands, AMessageIsNotTakenForACommand) {
    for (const std::string_view text : {"",
                                        "/",
                                        " /new",
                                        "//new",
                                        "new",
                                        "/ new",
                                        "/usr/bin/env fails",
                                        "/1",
                                        "/2 + 2",
                                        "/-",
                                        "/new/",
                                        "/new.",
                                        "/naïve",
                                        "/\xFF",
                                        "1/2",
                                        "\n/new"})
        EXPECT_FALSE(is_slash_line(text)) << text;
    for (const std::string_view text :
         {"/new", "/New ", "/no_think", "/temp 1", "/system\nline", "/home", "/x\ty"})
        EXPECT_TRUE(is_slash_line(text)) << text;
}

TEST(SlashCommands, AreReadWithWhatFollows) {
    const auto temp = parse_slash_line("/TEMP \t 0.7 ", SlashPlace::kPage);
    ASSERT_TRUE(temp);
    EXPECT_EQ(temp->command, SlashCommand::kTemperature);
    EXPECT_EQ(temp->name, "temp");
    EXPECT_EQ(temp->argument, "0.7");
    const auto system = parse_slash_line("/system Be\n brief.\n", SlashPlace::kTerminal);
    EXPECT_EQ(system->argument, "Be\n brief.");
    EXPECT_EQ(parse_slash_line("/system", SlashPlace::kPage)->argument, "");
    EXPECT_EQ(parse_slash_line("/summarize", SlashPlace::kPage)->command, SlashCommand::kCompact);
    EXPECT_EQ(parse_slash_line("/quit", SlashPlace::kTerminal)->command, SlashCommand::kLeave);
}

TEST(SlashCommands, WhatThereIsNotIsToldWithAWayOut) {
    for (const std::string_view text : {"/foo", "/exit", "/news", "/temperature 1"}) {
        const auto line = parse_slash_line(text, SlashPlace::kPage);
        ASSERT_FALSE(line) << text;
        EXPECT_EQ(line.error().code, ErrorCode::kInvalidArgument);
        EXPECT_TRUE(line.error().detail.contains("//")) << line.error().detail;
        EXPECT_TRUE(line.error().detail.contains("/help")) << line.error().detail;
    }
    EXPECT_FALSE(parse_slash_line("/theme dark", SlashPlace::kTerminal));
    EXPECT_TRUE(parse_slash_line("/export a b.md", SlashPlace::kTerminal));
    const auto more = parse_slash_line("/new idea for dinner", SlashPlace::kPage);
    ASSERT_FALSE(more);
    EXPECT_TRUE(more.error().detail.contains("/new stands alone")) << more.error().detail;
    const auto huge = parse_slash_line("/" + std::string(1'000'000, 'a'), SlashPlace::kPage);
    EXPECT_LT(huge.error().detail.size(), 300U);
}

TEST(SlashCommands, TwoSlashesAreOneInAMessage) {
    EXPECT_EQ(unescape_slash("//new"), "/new");
    EXPECT_EQ(unescape_slash("///"), "//");
    EXPECT_EQ(unescape_slash(" //new"), " //new");
    EXPECT_EQ(unescape_slash("/usr"), "/usr");
    EXPECT_EQ(unescape_slash(""), "");
}

TEST(SlashCommands, TheTableHasEachNameOnceAndAllThatWerePromised) {
    std::set<std::pair<SlashPlace, std::string_view>> names;
    for (const SlashEntry& entry : slash_entries()) {
        for (const SlashPlace place : {SlashPlace::kPage, SlashPlace::kTerminal}) {
            if (entry.is_at(place)) {
                EXPECT_TRUE(names.insert({place, entry.name}).second) << entry.name;
            }
        }
        EXPECT_FALSE(entry.about.empty()) << entry.name;
        EXPECT_TRUE(is_slash_line("/" + std::string(entry.name))) << entry.name;
    }
    for (const std::string_view promised :
         {"new",        "clear",  "reset",  "export", "think",    "no_think",  "budget",
          "temp",       "system", "model",  "tools",  "compact",  "summarize", "continue",
          "regenerate", "stats",  "status", "theme",  "settings", "help"}) {
        const auto line = parse_slash_line("/" + std::string(promised), SlashPlace::kPage);
        EXPECT_TRUE(line) << promised;
        const bool at_terminal =
            parse_slash_line("/" + std::string(promised), SlashPlace::kTerminal).has_value();
        EXPECT_EQ(at_terminal, promised != "theme") << promised;
    }
}

}  // namespace
}  // namespace notso::services

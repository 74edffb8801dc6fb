// What commands read of what a person typed.
#include "app/terminal/terminal_settings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace notso::app {
namespace {

using services::ArchiveFormat;

std::vector<services::ModelEntry> models() {
    std::vector<services::ModelEntry> all(3);
    all[0].info.id = "SmolLM2-135M";
    all[1].info.id = "SmolLM3-3B";
    all[1].place = services::ModelPlace::kOnDisk;
    all[1].file_bytes = 1'900'000'000;
    all[2].info.id = "3B";
    all[2].place = services::ModelPlace::kFailed;
    all[2].detail = "no\x1b[31m model";
    return all;
}

TEST(ModelNamed, ByItsIdOrByAPartThatOnlyOneHas) {
    EXPECT_EQ(*model_named(models(), "SmolLM3-3B"), "SmolLM3-3B");
    EXPECT_EQ(*model_named(models(), "135m"), "SmolLM2-135M");
    EXPECT_EQ(*model_named(models(), "3B"), "3B") << "the whole id goes before a part";
    const auto several = model_named(models(), "smol");
    ASSERT_FALSE(several);
    EXPECT_TRUE(several.error().detail.contains("SmolLM2-135M, SmolLM3-3B"));
    const auto none = model_named(models(), "llama");
    ASSERT_FALSE(none);
    EXPECT_TRUE(none.error().detail.contains("There are: SmolLM2-135M, SmolLM3-3B, 3B"));
}

TEST(ModelWords, ALineForEach) {
    EXPECT_EQ(model_words(models(), "SmolLM2-135M"),
              "* SmolLM2-135M, in memory\n"
              "  SmolLM3-3B, 1.9 GB\n"
              "  3B, can't be loaded: no[31m model\n");
    std::vector<services::ModelEntry> remote(1);
    remote[0].info.id = "big";
    remote[0].info.remote_host = "example.org";
    EXPECT_EQ(model_words(remote, "big"), "* big, at example.org\n");
}

TEST(ExportTarget, IsAFormatOrAFile) {
    EXPECT_EQ(export_target("").path, "chat.md");
    EXPECT_EQ(export_target("MD").format, ArchiveFormat::kMarkdown);
    EXPECT_EQ(export_target("json").path, "chat.json");
    EXPECT_FALSE(export_target("json").is_named);
    const ExportTarget named = export_target("'my chats/one.JSON'");
    EXPECT_EQ(named.path, "my chats/one.JSON");
    EXPECT_EQ(named.format, ArchiveFormat::kJson);
    EXPECT_TRUE(named.is_named);
    EXPECT_EQ(export_target("notes.txt").format, ArchiveFormat::kMarkdown);
    EXPECT_EQ(numbered("chat.md", 3), "chat-3.md");
}

TEST(TypedPath, WithoutBlanksAndQuotes) {
    EXPECT_EQ(typed_path("  a b.txt\t"), "a b.txt");
    EXPECT_EQ(typed_path("\"a b\""), "a b");
    EXPECT_EQ(typed_path("'"), "'");
    EXPECT_EQ(typed_path(" "), "");
    ASSERT_EQ(::setenv("HOME", "/home/ada", 1), 0);
    EXPECT_EQ(typed_path("~/a"), "/home/ada/a");
    EXPECT_EQ(typed_path("~ada"), "~ada");
}

TEST(SlashHelp, HasEveryCommandOfTheTerminal) {
    const std::string help = slash_help();
    for (const char* name : {"/continue", "/compact", "/model NAME", "/export md|json|FILE"})
        EXPECT_TRUE(help.contains(name)) << name;
    EXPECT_FALSE(help.contains("/theme"));
}

}  // namespace
}  // namespace notso::app

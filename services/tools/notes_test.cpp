#include "services/tools/notes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace notso::services {
namespace {

using ::testing::HasSubstr;

TEST(NotesTest, AddsListsDeletes) {
    const ToolBox box({make_notes()});
    ToolContext context;
    context.notes = std::make_shared<MemoryNoteBook>();
    const auto say = [&](const char* arguments) { return box.run({"notes", arguments}, context); };
    EXPECT_EQ(say(R"({"action":"list"})").text, "There are no notes.");
    EXPECT_EQ(say(R"({"action":"add","text":"milk"})").text, "Note 1 was added.");
    EXPECT_EQ(say(R"({"action":"add","text":"eggs"})").text, "Note 2 was added.");
    EXPECT_EQ(say(R"({"action":"delete","number":1})").text, "Note 1 was deleted.");
    EXPECT_EQ(say(R"({"action":"add","text":"tea"})").text, "Note 3 was added.");
    EXPECT_EQ(say(R"({"action":"list"})").text, "2. eggs\n3. tea");
    EXPECT_THAT(say(R"({"action":"delete","number":1})").text, HasSubstr("no note has number 1"));
    EXPECT_TRUE(say(R"({"action":"delete"})").is_error);
    EXPECT_TRUE(say(R"({"action":"add"})").is_error);
}

TEST(NotesTest, HasLimits) {
    const ToolBox box({make_notes()});
    ToolContext context;
    EXPECT_THAT(box.run({"notes", R"({"action":"list"})"}, context).text,
                HasSubstr("no notes can be kept"));
    context.notes = std::make_shared<MemoryNoteBook>();
    const auto add = [&](std::size_t size) {
        const boost::json::object note{{"action", "add"}, {"text", std::string(size, 'n')}};
        return box.run({"notes", boost::json::serialize(note)}, context);
    };
    EXPECT_TRUE(add(2001).is_error);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(add(2000).is_error);
    EXPECT_THAT(add(1).text, HasSubstr("there are 100 notes"));
}

}  // namespace
}  // namespace notso::services

// ChatGPT's and Open WebUI's exports: every text is kept, in its place.
#include "services/archive/foreign_chats.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace notso::services {
namespace {

namespace json = boost::json;

json::object parse(std::string_view text) { return json::parse(text).as_object(); }

/// One line per message: role, text, and the text of what it follows.
std::vector<std::string> lines(const WholeConversation& whole) {
    std::vector<std::string> lines;
    for (const Message& message : whole.messages) {
        std::string follows;
        for (const Message& other : whole.messages)
            if (message.parent == other.id) follows = other.text;
        lines.push_back(fmt::format(
            "{}: {} < {}", message.role == MessageRole::kUser ? "Q" : "A", message.text, follows));
    }
    std::ranges::sort(lines);
    return lines;
}

std::string leaf_text(const WholeConversation& whole) {
    const auto leaf = std::ranges::find(whole.messages, whole.conversation.leaf, &Message::id);
    return leaf == whole.messages.end() ? "(none)" : leaf->text;
}

using Lines = std::vector<std::string>;

constexpr std::string_view kChatGpt = R"({
  "title": "Rome", "create_time": 1700000000.5, "update_time": 1700000100,
  "current_node": "a2", "mapping": {
    "root": {"id": "root", "message": null, "parent": null, "children": ["s"]},
    "s": {"id": "s", "parent": "root", "children": ["q1"], "message": {"author": {"role": "system"},
      "content": {"content_type": "text", "parts": ["hidden"]}}},
    "q1": {"id": "q1", "parent": "s", "children": ["a1", "t1"], "message":
      {"author": {"role": "user"}, "create_time": 1700000001.25,
       "content": {"content_type": "text", "parts": ["Where is\nRome? 🙂"]}}},
    "a1": {"id": "a1", "parent": "q1", "children": [], "message": {"author": {"role": "assistant"},
      "content": {"content_type": "text", "parts": ["In Italy."]}}},
    "t1": {"id": "t1", "parent": "q1", "children": ["c1"], "message":
      {"author": {"role": "assistant"}, "content": {"content_type": "thoughts",
       "thoughts": [{"summary": "s", "content": "Let me look."}]}}},
    "c1": {"id": "c1", "parent": "t1", "children": ["o1"], "message":
      {"author": {"role": "assistant"},
       "content": {"content_type": "code", "text": "find Rome"}}},
    "o1": {"id": "o1", "parent": "c1", "children": ["a2"], "message": {"author": {"role": "tool"},
      "content": {"content_type": "execution_output", "text": "41.9 N"}}},
    "a2": {"id": "a2", "parent": "o1", "children": ["q2"], "message":
      {"author": {"role": "assistant"}, "content": {"content_type": "multimodal_text",
       "parts": ["At 41.9 N.", {"content_type": "image_asset_pointer"}]}}},
    "q2": {"id": "q2", "parent": "a2", "children": [], "message": {"author": {"role": "user"},
      "content": {"content_type": "text", "parts": ["Thanks"]}}}
  }})";

TEST(FromChatGpt, KeepsEveryVersionAndWhatToolsWrote) {
    const auto whole = from_any(parse(kChatGpt));
    ASSERT_TRUE(whole) << whole.error().detail;
    const std::string answer = "find Rome\n\n41.9 N\n\nAt 41.9 N.\n[image_asset_pointer]";
    EXPECT_EQ(lines(*whole),
              (Lines{"A: In Italy. < Where is\nRome? 🙂",
                     "A: " + answer + " < Where is\nRome? 🙂",
                     "Q: Thanks < " + answer,
                     "Q: Where is\nRome? 🙂 < "}));
    EXPECT_EQ(whole->conversation.title, "Rome");
    EXPECT_EQ(whole->conversation.created_at, 1'700'000'000'500);
    EXPECT_EQ(whole->conversation.updated_at, 1'700'000'100'000);
    EXPECT_EQ(leaf_text(*whole), answer);
    const auto thought = std::ranges::find(whole->messages, answer, &Message::text);
    EXPECT_EQ(thought->thinking, "Let me look.");
    EXPECT_EQ(whole->messages.front().created_at, 1'700'000'001'250);
}

TEST(FromOpenWebUi, KeepsEveryVersion) {
    const auto whole = from_any(parse(R"({"id": "x", "title": "T", "pinned": true,
      "created_at": 1700000000, "updated_at": 1700000009, "chat": {"params": {"system": "be brief"},
      "history": {"currentId": "a", "messages": {
        "q": {"id": "q", "parentId": null, "role": "user", "content": "hi", "timestamp": 1700000001},
        "a": {"id": "a", "parentId": "q", "role": "assistant", "content": "one"},
        "b": {"id": "b", "parentId": "q", "role": "assistant", "content": "two"}}}}})"));
    ASSERT_TRUE(whole) << whole.error().detail;
    EXPECT_EQ(lines(*whole), (Lines{"A: one < hi", "A: two < hi", "Q: hi < "}));
    EXPECT_EQ(leaf_text(*whole), "one");
    EXPECT_TRUE(whole->conversation.pinned);
    EXPECT_EQ(whole->conversation.settings.system_prompt, "be brief");
    EXPECT_EQ(whole->messages.front().created_at, 1'700'000'001'000);
}

TEST(ForeignChats, HostileObjectsNameTheMember) {
    struct Case {
        std::string_view object;
        std::string_view names;
    };
    for (const auto& [object, names] : std::vector<Case>{
             {R"({})", "mapping"},
             {R"({"mapping": 1})", "mapping"},
             {R"({"mapping": {"a": 1}})", "mapping.a"},
             {R"({"mapping": {"a": {"message": []}}})", "mapping.a.message"},
             {R"({"mapping": {"a": {"message": {"author": {}, "content": {}}}}})", "author.role"},
             {R"({"mapping": {"a": {"message": {"author": {"role": "user"}}}}})", "content"},
             {R"({"mapping": {"a": {"parent": "b"}}})", "not there"},
             {R"({"mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}})", "circle"},
             {R"({"mapping": {"a": {"parent": "a"}}})", "circle"},
             {R"({"mapping": {"": {"parent": ""}}})", "empty id"},
             {R"({"chat": {}})", "chat.history"},
             {R"({"chat": {"history": {"messages": {"a": {"role": "user"}}}}})", "a.content"},
             {R"({"chat": {"history": {"messages": {"a": 7}}}})", "messages.a"}}) {
        const auto whole = from_any(parse(object));
        ASSERT_FALSE(whole) << object;
        EXPECT_EQ(whole.error().code, ErrorCode::kInvalidArgument) << object;
        EXPECT_TRUE(whole.error().detail.contains(names)) << whole.error().detail;
    }
}

TEST(ForeignChats, TimesOutOfRangeAndDeepChainsDoNoHarm) {
    json::object mapping;
    std::string parent;
    for (int i = 0; i < 20'000; ++i) {
        const std::string id = "n" + std::to_string(i);
        mapping[id] = json::object{{"parent", parent},
                                   {"message",
                                    {{"author", {{"role", "user"}}},
                                     {"create_time", i % 2 == 0 ? 1e300 : -1e300},
                                     {"content", {{"parts", json::array{"q"}}}}}}};
        parent = id;
    }
    const auto whole = from_any({{"mapping", mapping}, {"create_time", "soon"}});
    ASSERT_TRUE(whole) << whole.error().detail;
    EXPECT_EQ(whole->messages.size(), 20'000U);
}

}  // namespace
}  // namespace notso::services

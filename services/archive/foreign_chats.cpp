#include "services/archive/foreign_chats.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "base/random.hpp"
#include "services/archive/archive_json.hpp"
#include "services/archive/foreign_tree.hpp"
#include "services/archive/json_reader.hpp"
#include "services/chat/title.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr double kLastSecond = 253'402'300'799;  // of the year 9999

/// Seconds since 1970, with or without a fraction; 0 where it is missing.
UnixMs time_of(const JsonReader& in, std::string_view name) {
    const json::value* value = in.find(name);
    if (value == nullptr || !value->is_number()) return 0;
    double seconds = value->to_number<double>();
    if (!std::isfinite(seconds)) return 0;
    return static_cast<UnixMs>(std::clamp(seconds, 0.0, kLastSecond) * 1000);
}

std::string text_or(const JsonReader& in, std::string_view name) {
    const json::value* value = in.find(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

std::string date_of(UnixMs at) {
    const std::time_t seconds = at / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    return std::string(text.data(), size);
}

/// As it is, where it may be; one that is too long for a title is cut.
std::string title_of(const std::string& text) {
    constexpr std::size_t kMaxCharacters = 200;
    const std::string line = single_line(text);
    const bool fits = !line.empty() && unicode::count_code_points(line) <= kMaxCharacters;
    return fits ? line : make_title(text);
}

Conversation conversation_of(const JsonReader& in, UnixMs created_at, UnixMs updated_at) {
    const UnixMs begun = created_at > 0 ? created_at : now_ms();
    return {.id = {random_id()},
            .title = title_of(text_or(in, "title")),
            .date = date_of(begun),
            .created_at = begun,
            .updated_at = std::max(begun, updated_at)};
}

/// A message's content in any of its forms: texts as they are, everything else by its name.
void add_content(const json::object& content, ForeignNode& node) {
    const JsonReader in(content, "content.");
    const auto add = [](std::string& text, std::string_view more) {
        if (more.empty()) return;
        if (!text.empty()) text += '\n';
        text += more;
    };
    const json::value* parts = in.find("parts");
    if (parts != nullptr && parts->is_array()) {
        for (const json::value& part : parts->get_array()) {
            if (part.is_string()) add(node.text, std::string_view(part.get_string()));
            if (!part.is_object()) continue;
            const JsonReader one(part.get_object(), "");
            const std::string said = text_or(one, "text");
            add(node.text, said.empty() ? '[' + text_or(one, "content_type") + ']' : said);
        }
    }
    add(node.text, text_or(in, "text"));
    add(node.text, text_or(in, "result"));
    const json::value* thoughts = in.find("thoughts");
    if (thoughts == nullptr || !thoughts->is_array()) return;
    for (const json::value& thought : thoughts->get_array()) {
        if (thought.is_object())
            add(node.thinking, text_or(JsonReader(thought.get_object(), ""), "content"));
    }
}

Result<ForeignNode> chatgpt_node(const JsonReader& entry) {
    ForeignNode node{.parent = text_or(entry, "parent"), .text = {}};
    if (!entry.has("message")) return node;
    NOTSO_TRY(const JsonReader message, entry.object("message"));
    NOTSO_TRY(const JsonReader author, message.object("author"));
    NOTSO_TRY(const std::string role, author.text("role"));
    node.question = role == "user";
    node.created_at = time_of(message, "create_time");
    const json::value* content = message.find("content");
    if (content == nullptr || !content->is_object())
        return message.wrong("content", "must be an object");
    if (role != "system") add_content(content->get_object(), node);
    return node;
}

}  // namespace

Result<WholeConversation> from_chatgpt(const json::object& object) {
    const JsonReader in(object, "");
    NOTSO_TRY(const JsonReader mapping, in.object("mapping"));
    ForeignTree tree;
    for (const auto& [id, value] : object.at("mapping").get_object()) {
        if (!value.is_object()) return mapping.wrong(std::string(id), "must be an object");
        const JsonReader entry(value.get_object(), fmt::format("mapping.{}.", std::string(id)));
        NOTSO_TRY(ForeignNode node, chatgpt_node(entry));
        NOTSO_CHECK(tree.add(std::string(id), std::move(node)));
    }
    return tree.build(conversation_of(in, time_of(in, "create_time"), time_of(in, "update_time")),
                      text_or(in, "current_node"));
}

Result<WholeConversation> from_open_webui(const json::object& object) {
    const JsonReader in(object, "");
    NOTSO_TRY(const JsonReader chat, in.object("chat"));
    NOTSO_TRY(const JsonReader history, chat.object("history"));
    NOTSO_TRY(const JsonReader messages, history.object("messages"));
    ForeignTree tree;
    const json::object& all = object.at("chat").at("history").at("messages").get_object();
    for (const auto& [id, value] : all) {
        if (!value.is_object()) return messages.wrong(std::string(id), "must be an object");
        const JsonReader message(value.get_object(),
                                 fmt::format("chat.history.messages.{}.", std::string(id)));
        ForeignNode node{.parent = text_or(message, "parentId"), .text = {}};
        NOTSO_TRY(const std::string role, message.text("role"));
        NOTSO_TRY(node.text, message.text("content"));
        node.question = role == "user";
        node.created_at = time_of(message, "timestamp");
        NOTSO_CHECK(tree.add(std::string(id), std::move(node)));
    }
    NOTSO_TRY(WholeConversation whole,
              tree.build(conversation_of(in.has("title") ? in : chat,
                                         time_of(in, "created_at"),
                                         time_of(in, "updated_at")),
                         text_or(history, "currentId")));
    const json::value* pinned = in.find("pinned");
    whole.conversation.pinned = pinned != nullptr && pinned->is_bool() && pinned->get_bool();
    const json::value* params = chat.find("params");
    if (params != nullptr && params->is_object())
        whole.conversation.settings.system_prompt =
            text_or(JsonReader(params->get_object(), ""), "system");
    return whole;
}

Result<WholeConversation> from_any(const json::object& object) {
    if (object.contains(kArchiveMark)) return from_archive(object);
    if (object.contains("mapping")) return from_chatgpt(object);
    if (object.contains("chat")) return from_open_webui(object);
    return fail(ErrorCode::kInvalidArgument,
                "it has none of the members {}, mapping and chat: no export of notso, ChatGPT or "
                "Open WebUI",
                kArchiveMark);
}

}  // namespace notso::services

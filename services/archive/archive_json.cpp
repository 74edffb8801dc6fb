#include "services/archive/archive_json.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "base/utf8.hpp"
#include "services/archive/json_reader.hpp"
#include "services/chat/message_files.hpp"
#include "services/chat/message_tree.hpp"
#include "services/session/message_names.hpp"
#include "services/settings/setting_fields.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

// Numbers with a fraction are texts: not every JSON parser gives back the same bits.
std::string exact(double value) { return fmt::format("{}", value); }

json::object stats_json(const MessageStats& stats) {
    return {{"prompt_tokens", stats.prompt_tokens},
            {"cached_tokens", stats.cached_tokens},
            {"completion_tokens", stats.completion_tokens},
            {"reasoning_tokens", stats.reasoning_tokens},
            {"draft_tokens", stats.draft_tokens},
            {"accepted_tokens", stats.accepted_tokens},
            {"first_token_ms", exact(stats.first_token_ms)},
            {"tokens_per_second", exact(stats.tokens_per_second)},
            {"thinking_ms", exact(stats.thinking_ms)},
            {"thinking_end", static_cast<std::int64_t>(stats.thinking_end)},
            {"model", stats.model}};
}

/// Which they are; what they are stands before the conversation.
json::array files_json(const std::vector<AttachmentUse>& uses) {
    json::array files;
    for (const AttachmentUse& use : uses) {
        files.push_back(json::object{
            {"id", use.id.value},
            {"prompt_bytes",
             use.prompt_bytes ? json::value(*use.prompt_bytes) : json::value(nullptr)}});
    }
    return files;
}

/// Older exports have none.
Result<std::vector<AttachmentUse>> read_uses(const JsonReader& in) {
    std::vector<AttachmentUse> uses;
    if (!in.has("files")) return uses;
    NOTSO_TRY(const auto files, in.objects("files"));
    for (const JsonReader& file : files) {
        AttachmentUse& use = uses.emplace_back();
        NOTSO_TRY(use.id.value, file.text("id"));
        if (file.has("prompt_bytes")) {
            NOTSO_TRY(use.prompt_bytes, file.integer("prompt_bytes"));
        }
    }
    return uses;
}

json::object message_json(const Message& message) {
    json::array uses;
    for (const ToolUse& use : message.tool_uses) {
        uses.push_back(json::object{{"id", use.id},
                                    {"name", use.name},
                                    {"arguments", use.arguments},
                                    {"state", name_of(use.state)},
                                    {"output", use.output},
                                    {"round", use.round},
                                    {"text_offset", use.text_offset},
                                    {"sends_to", use.sends_to}});
    }
    json::object object = {
        {"id", message.id.value},
        {"parent", message.parent ? json::value(message.parent->value) : json::value(nullptr)},
        {"role", name_of(message.role)},
        {"state", name_of(message.state)},
        {"text", message.text},
        {"thinking", message.thinking},
        {"error", message.error},
        {"client_id", message.client_id},
        {"created_at", message.created_at},
        {"stats", stats_json(message.stats)},
        {"tool_uses", std::move(uses)}};
    if (!message.files.empty()) object["files"] = files_json(uses_of(message));
    return object;
}

void add_settings(const ChatSettings& settings, json::object& object) {
    object[kSystemPromptName] = settings.system_prompt;
    for (const NumberSetting& setting : number_settings()) {
        json::value& value = object[setting.name] = nullptr;
        if (const auto* whole = std::get_if<1>(&setting.member)) {
            if (settings.**whole) value = *(settings.**whole);
        } else if (const auto& number = settings.*std::get<0>(setting.member)) {
            value = exact(*number);
        }
    }
}

Result<MessageStats> read_stats(const JsonReader& in) {
    MessageStats stats;
    NOTSO_TRY(stats.prompt_tokens, in.integer("prompt_tokens"));
    NOTSO_TRY(stats.cached_tokens, in.integer("cached_tokens"));
    NOTSO_TRY(stats.completion_tokens, in.integer("completion_tokens"));
    NOTSO_TRY(stats.reasoning_tokens, in.integer("reasoning_tokens"));
    NOTSO_TRY(stats.draft_tokens, in.integer("draft_tokens"));
    NOTSO_TRY(stats.accepted_tokens, in.integer("accepted_tokens"));
    NOTSO_TRY(stats.first_token_ms, in.exact("first_token_ms"));
    NOTSO_TRY(stats.tokens_per_second, in.exact("tokens_per_second"));
    NOTSO_TRY(stats.thinking_ms, in.exact("thinking_ms"));
    NOTSO_TRY(const std::int64_t reason, in.integer("thinking_end"));
    stats.thinking_end = static_cast<ThinkingEndReason>(std::clamp<std::int64_t>(reason, 0, 3));
    if (in.has("model")) {
        NOTSO_TRY(stats.model, in.text("model"));
    }
    return stats;
}

Result<ToolUse> read_tool_use(const JsonReader& in) {
    ToolUse use;
    NOTSO_TRY(use.id, in.text("id"));
    NOTSO_TRY(use.name, in.text("name"));
    NOTSO_TRY(use.arguments, in.text("arguments"));
    NOTSO_TRY(use.state, in.name<ToolUseState>("state", kToolUseNames));
    NOTSO_TRY(use.output, in.text("output"));
    NOTSO_TRY(use.round, in.integer("round"));
    NOTSO_TRY(use.text_offset, in.integer("text_offset"));
    NOTSO_TRY(use.sends_to, in.text("sends_to"));
    return use;
}

Result<Message> read_message(const JsonReader& in) {
    Message message{.id = {}, .conversation = {}, .text = {}};
    NOTSO_TRY(message.id.value, in.text("id"));
    if (in.has("parent")) {
        NOTSO_TRY(std::string parent, in.text("parent"));
        message.parent = MessageId{std::move(parent)};
    }
    NOTSO_TRY(message.role, in.name<MessageRole>("role", kRoleNames));
    NOTSO_TRY(message.state, in.name<MessageState>("state", kStateNames));
    NOTSO_TRY(message.text, in.text("text"));
    NOTSO_TRY(message.thinking, in.text("thinking"));
    NOTSO_TRY(message.error, in.text("error"));
    NOTSO_TRY(message.client_id, in.text("client_id"));
    NOTSO_TRY(message.created_at, in.integer("created_at"));
    NOTSO_TRY(const JsonReader stats, in.object("stats"));
    NOTSO_TRY(message.stats, read_stats(stats));
    NOTSO_TRY(const auto uses, in.objects("tool_uses"));
    for (const JsonReader& use : uses) {
        NOTSO_TRY(ToolUse read, read_tool_use(use));
        message.tool_uses.push_back(std::move(read));
    }
    NOTSO_TRY(const auto attached, read_uses(in));
    message.files = files_to_use(attached);
    // Nobody writes on at what another program left unfinished.
    if (message.state == MessageState::kRunning) message.state = MessageState::kInterrupted;
    return message;
}

/// Files of earlier versions have fewer of them.
Result<ChatSettings> read_chat_settings(const JsonReader& in) {
    ChatSettings settings;
    NOTSO_TRY(settings.system_prompt, in.text(kSystemPromptName));
    for (const NumberSetting& setting : number_settings()) {
        if (!in.has(setting.name)) continue;
        if (const auto* whole = std::get_if<1>(&setting.member)) {
            NOTSO_TRY(settings.**whole, in.integer(setting.name));
        } else {
            NOTSO_TRY(settings.*std::get<0>(setting.member), in.exact(setting.name));
        }
    }
    NOTSO_CHECK(check_numbers(settings, {}));
    return settings;
}

Result<Conversation> read_conversation(const JsonReader& in) {
    Conversation conversation{.id = {}, .title = {}};
    NOTSO_TRY(conversation.id.value, in.text("id"));
    NOTSO_TRY(conversation.title, in.text("title"));
    NOTSO_TRY(conversation.thinking, in.flag("thinking"));
    NOTSO_TRY(conversation.settings, read_chat_settings(in));
    NOTSO_TRY(conversation.date, in.text("date"));
    NOTSO_TRY(conversation.created_at, in.integer("created_at"));
    NOTSO_TRY(conversation.updated_at, in.integer("updated_at"));
    NOTSO_TRY(conversation.model, in.text("model"));
    NOTSO_TRY(conversation.leaf.value, in.text("leaf"));
    NOTSO_TRY(conversation.pinned, in.flag("pinned"));
    if (in.has("archived")) {
        NOTSO_TRY(conversation.archived, in.flag("archived"));
    }
    return conversation;
}

Result<> read_additions(const JsonReader& in, WholeConversation& whole) {
    NOTSO_TRY(const auto summaries, in.objects("summaries"));
    for (const JsonReader& one : summaries) {
        Summary summary;
        NOTSO_TRY(summary.until.value, one.text("until"));
        NOTSO_TRY(summary.text, one.text("text"));
        NOTSO_TRY(summary.prompt_tokens, one.integer("prompt_tokens"));
        NOTSO_TRY(summary.created_at, one.integer("created_at"));
        whole.summaries.push_back(std::move(summary));
    }
    NOTSO_TRY(const auto notes, in.objects("notes"));
    for (const JsonReader& one : notes) {
        StoredNote note;
        NOTSO_TRY(note.number, one.integer("number"));
        NOTSO_TRY(note.text, one.text("text"));
        whole.notes.push_back(std::move(note));
    }
    return {};
}

/// Messages that wait for the end of an answer; older exports have none.
Result<> read_waiting(const JsonReader& in, WholeConversation& whole) {
    if (!in.has("waiting")) return {};
    NOTSO_TRY(const auto waiting, in.objects("waiting"));
    for (const JsonReader& one : waiting) {
        WaitingMessage message{.owner = {}, .conversation = {}, .client_id = {}, .text = {}};
        NOTSO_TRY(message.client_id, one.text("client_id"));
        NOTSO_TRY(message.text, one.text("text"));
        NOTSO_TRY(message.created_at, one.integer("created_at"));
        if (one.has("thinking")) {
            NOTSO_TRY(message.thinking, one.flag("thinking"));
        }
        NOTSO_TRY(message.files, read_uses(one));
        whole.waiting.push_back(std::move(message));
    }
    return {};
}

json::array waiting_json(const WholeConversation& whole) {
    json::array waiting;
    for (const WaitingMessage& message : whole.waiting) {
        json::object object = {
            {"client_id", message.client_id},
            {"text", message.text},
            {"thinking", message.thinking ? json::value(*message.thinking) : json::value(nullptr)},
            {"created_at", message.created_at}};
        if (!message.files.empty()) object["files"] = files_json(message.files);
        waiting.push_back(std::move(object));
    }
    return waiting;
}

/// Ids that messages refer to must be there, and before them.
Result<> check_tree(const WholeConversation& whole) {
    std::unordered_map<std::string_view, bool> seen;
    for (std::size_t i = 0; i < whole.messages.size(); ++i) {
        const Message& message = whole.messages[i];
        if (message.parent && !seen.contains(message.parent->value))
            return fail(ErrorCode::kInvalidArgument,
                        "messages[{}].parent: no message with this id stands before it",
                        i);
        if (!seen.emplace(message.id.value, true).second)
            return fail(ErrorCode::kInvalidArgument, "messages[{}].id: another one has it too", i);
    }
    for (std::size_t i = 0; i < whole.summaries.size(); ++i) {
        if (!seen.contains(whole.summaries[i].until.value))
            return fail(ErrorCode::kInvalidArgument, "summaries[{}].until: no such message", i);
    }
    return {};
}

}  // namespace

json::object to_archive(const WholeConversation& whole) {
    const Conversation& conversation = whole.conversation;
    json::array messages;
    for (const Message& message : whole.messages) messages.push_back(message_json(message));
    json::array summaries;
    for (const Summary& summary : whole.summaries)
        summaries.push_back(json::object{{"until", summary.until.value},
                                         {"text", summary.text},
                                         {"prompt_tokens", summary.prompt_tokens},
                                         {"created_at", summary.created_at}});
    json::array notes;
    for (const StoredNote& note : whole.notes)
        notes.push_back(json::object{{"number", note.number}, {"text", note.text}});
    json::object object = {{kArchiveMark, kArchiveVersion},
                           {"id", conversation.id.value},
                           {"title", conversation.title},
                           {"thinking", conversation.thinking},
                           {"date", conversation.date},
                           {"created_at", conversation.created_at},
                           {"updated_at", conversation.updated_at},
                           {"model", conversation.model},
                           {"leaf", conversation.leaf.value},
                           {"pinned", conversation.pinned},
                           {"archived", conversation.archived},
                           {"messages", std::move(messages)},
                           {"summaries", std::move(summaries)},
                           {"notes", std::move(notes)},
                           {"waiting", waiting_json(whole)}};
    add_settings(conversation.settings, object);
    return object;
}

Result<WholeConversation> from_archive(const json::object& object) {
    const JsonReader in(object, "");
    NOTSO_TRY(const std::int64_t version, in.integer(kArchiveMark));
    if (version > kArchiveVersion)
        return fail(ErrorCode::kUnsupported,
                    "{} is {}, written by a newer notso; this one knows up to {}: update notso",
                    kArchiveMark,
                    version,
                    kArchiveVersion);
    WholeConversation whole{.conversation = {.id = {}, .title = {}}, .messages = {}};
    NOTSO_TRY(whole.conversation, read_conversation(in));
    NOTSO_TRY(const auto messages, in.objects("messages"));
    for (const JsonReader& message : messages) {
        NOTSO_TRY(Message read, read_message(message));
        whole.messages.push_back(std::move(read));
    }
    NOTSO_CHECK(read_additions(in, whole));
    NOTSO_CHECK(read_waiting(in, whole));
    NOTSO_CHECK(check_tree(whole));
    return whole;
}

std::string to_markdown(const WholeConversation& whole) {
    const std::string& title = whole.conversation.title;
    std::string out = fmt::format("# {}\n", title.empty() ? "New chat" : title);
    for (const Message& message : path_to(whole.messages, whole.conversation.leaf)) {
        const bool mine = message.role == MessageRole::kUser;
        out += fmt::format("\n## {}\n\n{}\n", mine ? "You" : "Assistant", message.text);
        for (const AttachedFile& file : message.files)
            out += fmt::format("\nAttached: {}\n", file.name);
    }
    return out;
}

}  // namespace notso::services

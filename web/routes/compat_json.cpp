#include "web/routes/compat_json.hpp"

#include <array>
#include <ctime>
#include <ranges>

#include "services/session/message_names.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::Message;
using services::MessageRole;

/// "2026-11-23T09:00:00Z"
std::string utc_time(UnixMs time) {
    const auto seconds = static_cast<std::time_t>(time / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

json::object stats_json(const services::MessageStats& stats) {
    return {{"prompt_tokens", stats.prompt_tokens},
            {"cached_tokens", stats.cached_tokens},
            {"completion_tokens", stats.completion_tokens},
            {"reasoning_tokens", stats.reasoning_tokens},
            {"draft_tokens", stats.draft_tokens},
            {"accepted_tokens", stats.accepted_tokens},
            {"first_token_ms", stats.first_token_ms},
            {"tokens_per_second", stats.tokens_per_second}};
}

/// Tokens of the context that the last finished answer left in use.
std::int64_t used_tokens(const std::vector<Message>& messages) {
    for (const Message& message : messages | std::views::reverse) {
        const std::int64_t used = message.stats.prompt_tokens + message.stats.completion_tokens;
        if (used > 0) return used;
    }
    return 0;
}

}  // namespace

json::object message_json(const Message& message) {
    json::object out = {{"id", message.id.value},
                        {"role", services::name_of(message.role)},
                        {"content", message.text},
                        {"state", services::name_of(message.state)},
                        {"created_at", utc_time(message.created_at)}};
    if (message.role == MessageRole::kUser) return out;
    out["thinking"] = message.thinking;
    out["stats"] = stats_json(message.stats);
    if (!message.error.empty()) out["error"] = message.error;
    return out;
}

json::object conversation_json(const services::ConversationView& view,
                               std::int64_t context_length) {
    const services::Conversation& conversation = view.conversation;
    json::array messages;
    for (const Message& message : view.messages) messages.push_back(message_json(message));
    json::object out = {{"conversation", conversation.id.value},
                        {"title", conversation.title},
                        {"thinking", conversation.thinking},
                        {"thinking_budget", nullptr},
                        {"temperature", nullptr},
                        {"context_length", context_length},
                        {"context_used", used_tokens(view.messages)},
                        {"running", view.running != nullptr},
                        {"created_at", utc_time(conversation.created_at)},
                        {"updated_at", utc_time(conversation.updated_at)},
                        {"messages", std::move(messages)}};
    if (conversation.settings.thinking_budget)
        out["thinking_budget"] = *conversation.settings.thinking_budget;
    if (conversation.settings.temperature) out["temperature"] = *conversation.settings.temperature;
    return out;
}

json::object model_info_json(const services::ModelInfo& info) {
    return {{"id", info.id},
            {"name", info.name},
            {"architecture", info.architecture},
            {"file_type", info.file_type},
            {"context_length", info.context_length},
            {"parameters", info.n_parameters},
            {"weight_bytes", info.weight_bytes},
            {"can_think", info.can_think},
            {"can_call_tools", info.can_call_tools},
            {"scripted", info.scripted},
            {"remote_host", info.remote_host}};
}

std::string conversation_markdown(const services::ConversationView& view) {
    const std::string& title = view.conversation.title;
    std::string out = fmt::format("# {}\n", title.empty() ? "New chat" : title);
    for (const Message& message : view.messages) {
        const bool mine = message.role == MessageRole::kUser;
        out += fmt::format("\n## {} ({})\n\n{}\n",
                           mine ? "You" : "Assistant",
                           utc_time(message.created_at),
                           message.text);
        for (const services::AttachedFile& file : message.files)
            out += fmt::format("\nAttached: {}\n", file.name);
    }
    return out;
}

Response json_response(const json::object& object) {
    Response response;
    response.content_type = "application/json";
    response.body = json::serialize(object);
    return response;
}

}  // namespace notso::web

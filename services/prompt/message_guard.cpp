// See message_guard.hpp.
#include "services/prompt/message_guard.hpp"

#include <algorithm>
#include <utility>

#include "services/prompt/thinking_flags.hpp"
#include "services/prompt/tool_texts.hpp"

namespace notso::services {

HistoryForm history_form_of(const TemplateTraits& traits) {
    return {.calls_in_content = !traits.shows_calls, .results = traits.results};
}

bool has_tool_history(const std::vector<ChatMessage>& messages) {
    return std::ranges::any_of(messages, [](const ChatMessage& message) {
        return message.role == "tool" || !message.tool_calls.empty();
    });
}

std::vector<ChatMessage> MessageGuard::guarded(const std::vector<ChatMessage>& messages,
                                               HistoryForm form) const {
    std::vector<ChatMessage> out;
    out.reserve(messages.size());
    bool follows_result = false;
    for (const ChatMessage& given : messages) {
        ChatMessage message = given.role == "tool" ? guarded_result(given, form) : given;
        if (message.name) message.name = guard_.mark(*message.name, marker_);
        if (message.tool_call_id)
            message.tool_call_id = guard_.mark(*message.tool_call_id, marker_);
        if (given.role == "system" || given.role == "developer") guard_system(message);
        if (given.role == "assistant") guard_assistant(message, form);
        if (given.role == "user") message.content = guard_.mark(message.content, marker_);
        const bool one_turn = given.role == "tool" && form.results == ToolResultForm::kUserTurn;
        if (one_turn && std::exchange(follows_result, true)) {
            out.back().content += '\n' + message.content;
            continue;
        }
        follows_result = one_turn;
        out.push_back(std::move(message));
    }
    return out;
}

void MessageGuard::guard_system(ChatMessage& message) const {
    message.role = "system";
    if (own_chat_) message.content = strip_thinking_flags(message.content);
    message.content =
        guard_.mark(message.content, marker_);  // before flags inside of tags are hidden
    if (own_chat_) message.content = hide_thinking_flags(message.content, marker_);
}

void MessageGuard::guard_assistant(ChatMessage& message, HistoryForm form) const {
    message.content = own_chat_ ? guard_.mark(message.content, marker_)
                                : guard_.mark(message.content, marker_, {kThinkTag, kThinkEndTag});
    const boost::json::array calls = std::exchange(message.tool_calls, {});
    if (!form.calls_in_content) {
        message.tool_calls =
            guard_.mark_json(boost::json::value(with_parsed_arguments(calls)), marker_).as_array();
        return;
    }
    for (const boost::json::value& call : calls) {
        if (!call.is_object()) continue;
        if (!message.content.empty()) message.content += '\n';
        message.content += tagged_call(guard_.mark(call_json(call.get_object()), marker_));
    }
}

ChatMessage MessageGuard::guarded_result(const ChatMessage& message, HistoryForm form) const {
    ChatMessage out = message;
    out.content = guard_.mark(message.content, marker_);
    if (form.results == ToolResultForm::kAsGiven) return out;
    out.content = tagged_result(out.content);
    if (form.results == ToolResultForm::kUserTurn) out.role = "user";
    return out;
}

}  // namespace notso::services

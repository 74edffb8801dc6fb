// Implementation of the message rules. See messages.hpp.
#include "services/prompt/messages.hpp"

#include <algorithm>
#include <utility>

namespace notso::services {
namespace {

bool is_system(const ChatMessage& message) {
    return message.role == "system" || message.role == "developer";
}

}  // namespace

Result<> check_roles(const std::vector<ChatMessage>& messages) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (std::ranges::find(kChatRoles, messages[i].role) != kChatRoles.end()) continue;
        return fail(ErrorCode::kInvalidArgument,
                    "messages[{}].role: must be system, developer, user, assistant or tool",
                    i);
    }
    return {};
}

bool has_system(const std::vector<ChatMessage>& messages) {
    return std::ranges::any_of(messages, is_system);
}

std::vector<ChatMessage> place_system(const std::vector<ChatMessage>& messages,
                                      SystemPlacement placement) {
    if (placement == SystemPlacement::kAsGiven) return messages;
    std::string system;
    std::vector<ChatMessage> placed;
    for (const ChatMessage& message : messages) {
        if (!is_system(message)) {
            placed.push_back(message);
            continue;
        }
        if (!system.empty() && !message.content.empty()) system += "\n\n";
        system += message.content;
    }
    if (placed.size() == messages.size()) return placed;
    if (placement == SystemPlacement::kMergedFirst) {
        placed.insert(placed.begin(), ChatMessage{.role = "system", .content = std::move(system)});
        return placed;
    }
    const auto first_user = std::ranges::find_if(
        placed, [](const ChatMessage& message) { return message.role == "user"; });
    if (first_user == placed.end()) {
        placed.insert(placed.begin(), ChatMessage{.role = "user", .content = std::move(system)});
    } else if (!system.empty()) {
        first_user->content = std::move(system) + "\n\n" + first_user->content;
    }
    return placed;
}

boost::json::object to_template_message(const ChatMessage& message) {
    boost::json::object out;
    out["role"] = message.role;
    out["content"] = message.content;
    if (message.name) out["name"] = *message.name;
    if (!message.tool_calls.empty()) out["tool_calls"] = message.tool_calls;
    if (message.tool_call_id) out["tool_call_id"] = *message.tool_call_id;
    return out;
}

}  // namespace notso::services

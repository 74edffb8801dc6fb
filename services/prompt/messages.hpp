// Chat messages as a template wants them: roles checked, system texts placed where the template can
// take them.
#pragma once

#include <array>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

inline constexpr std::array<std::string_view, 5> kChatRoles = {
    "system", "developer", "user", "assistant", "tool"};

/// Where the system texts go. Tried in this order until the template takes them.
enum class SystemPlacement {
    kAsGiven,      ///< Every message where it stands.
    kMergedFirst,  ///< All system texts joined in the first message.
    kInFirstUser,  ///< For templates that refuse the role: before the first user message's text.
};

/// @errors kInvalidArgument naming the message for a role other than system, developer, user,
/// assistant, tool.
Result<> check_roles(const std::vector<ChatMessage>& messages);

bool has_system(const std::vector<ChatMessage>& messages);

std::vector<ChatMessage> place_system(const std::vector<ChatMessage>& messages,
                                      SystemPlacement placement);

/// One message as the template sees it; absent fields are left out.
boost::json::object to_template_message(const ChatMessage& message);

}  // namespace notso::services

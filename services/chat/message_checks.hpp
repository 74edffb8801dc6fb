// What a message from outside must be like.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace notso::services {

/// At most 256 KiB of UTF-8. @errors kTooLarge, kInvalidArgument.
Result<> check_draft_text(const std::string& text);
/// The same, and not blank.
Result<> check_message_text(const std::string& text);
/// At most 128 bytes of UTF-8; empty = none. @errors kInvalidArgument.
Result<> check_client_id(const std::string& client_id);
/// 0..kMaxThinkingBudget, or none. @errors kInvalidArgument.
Result<> check_thinking_budget(std::optional<std::int64_t> tokens);

/// What somebody hears who wants something while an answer runs, or while the server goes away.
Error busy();
Error shutting_down();

}  // namespace notso::services

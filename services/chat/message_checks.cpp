#include "services/chat/message_checks.hpp"

#include "base/utf8.hpp"
#include "services/chat/title.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kMaxMessageBytes = std::size_t{256} * 1024;
constexpr std::size_t kMaxClientIdBytes = 128;

}  // namespace

Error busy() {
    return {ErrorCode::kBusy,
            "an answer is being written in this conversation: wait for it, or stop it"};
}

Error shutting_down() {
    return {ErrorCode::kUnavailable, "the server is shutting down; send it again later"};
}

Result<> check_draft_text(const std::string& text) {
    if (text.size() > kMaxMessageBytes) {
        return fail(ErrorCode::kTooLarge,
                    "the message has {} bytes; at most {} are allowed: send it in parts",
                    text.size(),
                    kMaxMessageBytes);
    }
    if (!is_valid_utf8(text))
        return fail(ErrorCode::kInvalidArgument, "the message is not valid UTF-8");
    return {};
}

Result<> check_message_text(const std::string& text) {
    NOTSO_CHECK(check_draft_text(text));
    if (single_line(text).empty()) return fail(ErrorCode::kInvalidArgument, "the message is empty");
    return {};
}

Result<> check_client_id(const std::string& client_id) {
    if (client_id.size() > kMaxClientIdBytes || !is_valid_utf8(client_id)) {
        return fail(ErrorCode::kInvalidArgument,
                    "client_id is not UTF-8 of at most {} bytes",
                    kMaxClientIdBytes);
    }
    return {};
}

Result<> check_thinking_budget(std::optional<std::int64_t> tokens) {
    if (!tokens || (*tokens >= 0 && *tokens <= kMaxThinkingBudget)) return {};
    return fail(ErrorCode::kInvalidArgument,
                "the thinking budget is {} tokens; it must be from 0 (no limit) to {}",
                *tokens,
                kMaxThinkingBudget);
}

}  // namespace notso::services

#include "services/chat/send_plan.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "services/chat/title.hpp"

namespace notso::services {
namespace {

// A missing title is made up for with the next message, so a failure here does not undo the send.
void give_title(SessionStore& store,
                Conversation& conversation,
                const std::vector<Message>& messages) {
    const auto first = std::ranges::find(messages, MessageRole::kUser, &Message::role);
    if (!conversation.title.empty() || first == messages.end()) return;
    conversation.title = make_title(first->text);
    const Result<> saved = store.update_conversation(conversation);
    if (!saved) log::warn("a title could not be saved: {}", saved.error().detail);
}

}  // namespace

Result<std::optional<SendPlan>> find_repeated(SessionStore& store,
                                              const ConversationId& id,
                                              const std::string& client_id) {
    NOTSO_TRY(auto user, store.find_by_client_id(id, client_id));
    if (!user) return std::nullopt;
    NOTSO_TRY(const auto messages, store.messages(id));
    const auto answer = std::ranges::find(messages, std::optional(user->id), &Message::parent);
    if (answer == messages.end()) {
        return fail(ErrorCode::kCorruptData, "message {} has no answer record", user->id.value);
    }
    return SendPlan{.user = *std::move(user), .answer = *answer, .repeated = true};
}

Result<SendPlan> store_message(SessionStore& store, Message user, Message answer) {
    NOTSO_TRY(auto repeated, find_repeated(store, user.conversation, user.client_id));
    if (repeated) return *std::move(repeated);
    SendPlan plan;
    NOTSO_TRY(plan.source.conversation, store.conversation(user.conversation));
    NOTSO_TRY(plan.source.messages, store.messages(user.conversation));
    if (!plan.source.messages.empty()) user.parent = plan.source.messages.back().id;
    NOTSO_CHECK(store.append_messages({user, answer}));
    Conversation& conversation = plan.source.conversation;
    conversation.updated_at = std::max(conversation.updated_at, answer.created_at);
    plan.source.messages.push_back(user);
    give_title(store, conversation, plan.source.messages);
    plan.user = std::move(user);
    plan.answer = std::move(answer);
    return plan;
}

}  // namespace notso::services

#include "services/chat/send_plan.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
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
    const auto answer = std::ranges::find(
        messages.rbegin(), messages.rend(), std::optional(user->id), &Message::parent);
    if (answer == messages.rend()) {
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

Result<std::optional<SendPlan>> find_retried(SessionStore& store,
                                             const ConversationId& id,
                                             const MessageId& tried) {
    NOTSO_TRY(const auto messages, store.messages(id));
    const auto old = std::ranges::find(messages, tried, &Message::id);
    if (old == messages.end() || !old->parent) return std::nullopt;
    const Message& last = messages.back();
    if (last.id == tried || last.parent != old->parent) return std::nullopt;
    const auto user = std::ranges::find(messages, *old->parent, &Message::id);
    if (user == messages.end() || user->role != MessageRole::kUser) return std::nullopt;
    return SendPlan{.user = *user, .answer = last, .repeated = true};
}

Result<SendPlan> store_retry(SessionStore& store, const MessageId& tried, Message answer) {
    NOTSO_TRY(auto repeated, find_retried(store, answer.conversation, tried));
    if (repeated) return *std::move(repeated);
    SendPlan plan;
    NOTSO_TRY(plan.source.conversation, store.conversation(answer.conversation));
    NOTSO_TRY(auto messages, store.messages(answer.conversation));
    const auto old = std::ranges::find(messages, tried, &Message::id);
    const auto user = std::ranges::find_if(
        messages, [&](const Message& message) { return message.id == answer.parent; });
    if (old == messages.end() || user == messages.end() || old->parent != user->id)
        return fail(ErrorCode::kNotFound, "there is no such answer to that message");
    if (old->state == MessageState::kComplete)
        return fail(ErrorCode::kInvalidArgument, "that answer is whole: there is nothing to retry");
    if (old->id != messages.back().id) {
        return fail(ErrorCode::kInvalidArgument,
                    "the conversation went on after that answer: send the message again");
    }
    NOTSO_CHECK(store.append_messages({answer}));
    plan.user = *user;
    plan.answer = std::move(answer);
    messages.erase(user + 1, messages.end());
    plan.source.messages = std::move(messages);
    return plan;
}

Result<PromptSource> load_draft(SessionStore& store, const ConversationId& id, std::string draft) {
    PromptSource source;
    NOTSO_TRY(source.conversation, store.conversation(id));
    NOTSO_TRY(source.messages, store.messages(id));
    source.messages.push_back({.id = {random_id()},
                               .conversation = id,
                               .role = MessageRole::kUser,
                               .text = std::move(draft)});
    return source;
}

}  // namespace notso::services

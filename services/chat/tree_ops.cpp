// ChatServiceImpl: what changes the tree of a conversation's messages without asking the model.
#include <algorithm>
#include <utility>

#include "base/random.hpp"
#include "services/chat/chat_service_impl.hpp"
#include "services/chat/fork.hpp"
#include "services/chat/message_checks.hpp"
#include "services/chat/send_plan.hpp"

namespace notso::services {
namespace {

Result<Message> store_revision(SessionStore& store, const ReviseRequest& request) {
    NOTSO_TRY(const auto all, store.messages(request.conversation));
    const auto old = std::ranges::find(all, request.answer, &Message::id);
    if (old == all.end() || old->role != MessageRole::kAssistant)
        return fail(ErrorCode::kNotFound, "no such answer: it was deleted");
    Message revision{.id = {random_id()},
                     .conversation = request.conversation.id,
                     .parent = old->parent,
                     .role = MessageRole::kAssistant,
                     .text = request.text,
                     .created_at = now_ms()};
    NOTSO_CHECK(store.append_messages(request.conversation.owner, {revision}));
    return revision;
}

Result<> turn_to(SessionStore& store, const ConversationKey& key, const MessageId& message) {
    NOTSO_TRY(Conversation conversation, store.conversation(key));
    NOTSO_TRY(const auto all, store.messages(key));
    if (std::ranges::find(all, message, &Message::id) == all.end())
        return fail(ErrorCode::kNotFound, "no such message: it was deleted");
    conversation.leaf = newest_end(all, message);
    return store.update_conversation(conversation);
}

}  // namespace

/// What stands below the path is about another path.
bool ChatServiceImpl::may_change_tree(const ConversationKey& key) {
    if (is_taken(key)) return false;
    background_.abandon(key);
    drafts_.drop(key);
    return true;
}

void ChatServiceImpl::revise(ReviseRequest request, Completion<Message> done) {
    const Result<> ok = check_message_text(request.text);
    if (!ok) return fail_later(std::move(done), ok.error());
    if (!may_change_tree(request.conversation)) return fail_later(std::move(done), busy());
    store_.call(
        alive_,
        [request = std::move(request),
         quota = deps_.quota](SessionStore& store) -> Result<Message> {
            NOTSO_CHECK(check_stored_bytes(store, request.conversation.owner, quota));
            return store_revision(store, request);
        },
        std::move(done));
}

void ChatServiceImpl::fork(ConversationKey key, MessageId message, Completion<Conversation> done) {
    if (is_taken(key)) return fail_later(std::move(done), busy());
    store_.call(
        alive_,
        [key = std::move(key), message = std::move(message), quota = deps_.quota](
            SessionStore& store) -> Result<Conversation> {
            NOTSO_CHECK(check_new_conversation(store, key.owner, quota));
            NOTSO_CHECK(check_stored_bytes(store, key.owner, quota));
            return fork_conversation(store, key, message);
        },
        std::move(done));
}

void ChatServiceImpl::show_version(ConversationKey key, MessageId message, Completion<> done) {
    if (!may_change_tree(key)) return fail_later(std::move(done), busy());
    store_.call(
        alive_,
        [key, message = std::move(message)](SessionStore& store) {
            return turn_to(store, key, message);
        },
        std::move(done));
}

void ChatServiceImpl::remove_message(ConversationKey key, MessageId message, Completion<> done) {
    if (!may_change_tree(key)) return fail_later(std::move(done), busy());
    store_.call(
        alive_,
        [key, message = std::move(message)](SessionStore& store) {
            return remove_from_tree(store, key, message);
        },
        std::move(done));
}

}  // namespace notso::services

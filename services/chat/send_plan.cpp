#include "services/chat/send_plan.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "services/chat/message_files.hpp"
#include "services/chat/prompt_source.hpp"
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

Result<Message> find_in(const std::vector<Message>& all, const MessageId& id, MessageRole role) {
    const auto found = std::ranges::find(all, id, &Message::id);
    if (found == all.end() || found->role != role)
        return fail(ErrorCode::kNotFound, "no such message: it was deleted");
    return *found;
}

}  // namespace

Message empty_answer(const ConversationId& conversation, const MessageId& question) {
    return {.id = {random_id()},
            .conversation = conversation,
            .parent = question,
            .role = MessageRole::kAssistant,
            .state = MessageState::kRunning,
            .text = "",
            .created_at = now_ms()};
}

Result<> check_own_window(SessionStore& store,
                          ChatBackend& backend,
                          const ConversationKey& key,
                          const std::string& text) {
    NOTSO_TRY(const Conversation conversation, store.conversation(key));
    const auto& size = conversation.settings.context_size;
    if (!size || std::ssize(text) <= *size / 4) return {};  // no token is shorter than a byte
    NOTSO_TRY(PromptSource source, load_draft(store, {.conversation = key, .text = text}));
    source.thinking = conversation.thinking;
    Result<> fits = check_newest_fits(backend, source);
    const bool refused = !fits && fits.error().code == ErrorCode::kContextLength;
    return refused ? fits : Result<>{};
}

Result<std::optional<SendPlan>> find_repeated(SessionStore& store,
                                              const ConversationKey& key,
                                              const std::string& client_id) {
    NOTSO_TRY(auto found, store.find_by_client_id(key, client_id));
    if (!found) return std::nullopt;
    NOTSO_TRY(const auto messages, store.messages(key));
    if (found->role == MessageRole::kAssistant) {
        const auto user = std::ranges::find(messages, found->parent, [](const Message& message) {
            return std::optional(message.id);
        });
        if (user == messages.end())
            return fail(ErrorCode::kCorruptData, "answer {} has no question", found->id.value);
        return SendPlan{.user = *user, .answer = *std::move(found), .repeated = true};
    }
    const auto answer = std::ranges::find(
        messages.rbegin(), messages.rend(), std::optional(found->id), &Message::parent);
    if (answer == messages.rend()) {
        return fail(ErrorCode::kCorruptData, "message {} has no answer record", found->id.value);
    }
    return SendPlan{.user = *std::move(found), .answer = *answer, .repeated = true};
}

Result<SendPlan> store_message(SessionStore& store, NewMessages messages) {
    auto& [owner, user, answer, edits] = messages;
    const ConversationKey key(owner, user.conversation);
    NOTSO_TRY(auto repeated, find_repeated(store, key, user.client_id));
    if (repeated) return *std::move(repeated);
    SendPlan plan;
    NOTSO_TRY(ShownConversation shown, load_shown(store, key));
    if (edits) {
        NOTSO_TRY(const Message old, find_in(shown.all, *edits, MessageRole::kUser));
        user.parent = old.parent;
        shown.path = old.parent ? path_to(shown.all, *old.parent) : std::vector<Message>{};
    } else if (!shown.path.empty()) {
        user.parent = shown.path.back().id;
    }
    NOTSO_TRY(user.files, find_files(store, key, uses_of(user)));
    NOTSO_CHECK(store.append_messages(owner, {user, answer}));
    shown.path.push_back(user);
    NOTSO_TRY(plan.source, load_source(store, std::move(shown)));
    Conversation& conversation = plan.source.conversation;
    conversation.updated_at = std::max(conversation.updated_at, answer.created_at);
    conversation.leaf = answer.id;
    give_title(store, conversation, plan.source.messages);
    plan.user = std::move(user);
    plan.answer = std::move(answer);
    return plan;
}

Result<SendPlan> store_answer_beside(SessionStore& store,
                                     const OwnerId& owner,
                                     const MessageId& old,
                                     Message answer) {
    const ConversationKey key(owner, answer.conversation);
    NOTSO_TRY(auto repeated, find_repeated(store, key, answer.client_id));
    if (repeated) return *std::move(repeated);
    NOTSO_TRY(ShownConversation shown, load_shown(store, key));
    NOTSO_TRY(const Message beside, find_in(shown.all, old, MessageRole::kAssistant));
    if (!beside.parent || beside.parent != answer.parent)
        return fail(ErrorCode::kNotFound, "that is no answer to that message");
    NOTSO_CHECK(store.append_messages(owner, {answer}));
    SendPlan plan;
    shown.conversation.leaf = answer.id;
    shown.path = path_to(shown.all, *beside.parent);
    plan.user = shown.path.back();
    NOTSO_TRY(plan.source, load_source(store, std::move(shown)));
    plan.answer = std::move(answer);
    return plan;
}

Result<> remove_from_tree(SessionStore& store,
                          const ConversationKey& key,
                          const MessageId& message) {
    NOTSO_TRY(const auto all, store.messages(key));
    const auto found = std::ranges::find(all, message, &Message::id);
    if (found == all.end()) return fail(ErrorCode::kNotFound, "no such message: it was deleted");
    std::vector<MessageId> ids;
    for (const Message& other : all) {
        const bool answers = found->role == MessageRole::kUser &&
                             other.role == MessageRole::kAssistant && other.parent == message;
        if (answers) ids.push_back(other.id);
    }
    ids.push_back(message);
    return store.delete_messages(key, ids);
}

Result<PromptSource> load_draft(SessionStore& store, NewDraft draft) {
    NOTSO_TRY(ShownConversation shown, load_shown(store, draft.conversation));
    NOTSO_TRY(auto files, find_files(store, draft.conversation, draft.files));
    shown.path.push_back({.id = {random_id()},
                          .conversation = draft.conversation.id,
                          .role = MessageRole::kUser,
                          .text = std::move(draft.text),
                          .files = std::move(files)});
    return load_source(store, std::move(shown));
}

}  // namespace notso::services

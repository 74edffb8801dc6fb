// Each call goes to the store that has what it is about.
#include "services/session/temporary_chats.hpp"

#include <algorithm>
#include <limits>
#include <ranges>

namespace notso::services {

SessionStore& TemporaryChats::of(const ConversationId& id) {
    if (is_temporary(id)) return passing_;
    return kept_;
}

SessionStore& TemporaryChats::of(const MessageId& id) {
    if (messages_.contains(id.value)) return passing_;
    return kept_;
}

void TemporaryChats::shed(const OwnerId& owner) {
    const auto all = passing_.list_conversations(owner, std::numeric_limits<std::int64_t>::max());
    if (!all) return;
    const UnixMs too_old = now_ms() - kUnusedMs;
    std::size_t n_left = 0;
    for (const Conversation& chat : *all) {  // last used first
        if (chat.updated_at > too_old && ++n_left < kMaxOfOwner) continue;
        // Its deletion can only fail if it is not there.
        static_cast<void>(delete_conversation(chat.key()));
    }
}

Result<> TemporaryChats::create_conversation(const Conversation& conversation) {
    if (!conversation.temporary) return kept_.create_conversation(conversation);
    shed(conversation.owner);
    NOTSO_CHECK(passing_.create_conversation(conversation));
    chats_.insert(conversation.id.value);
    return {};
}

Result<> TemporaryChats::delete_conversation(const ConversationKey& key) {
    if (!is_temporary(key.id)) return kept_.delete_conversation(key);
    // Also one that lies in the trash, whose messages are not listed.
    static_cast<void>(passing_.restore_conversation(key));
    if (const auto gone = passing_.messages(key)) {
        for (const Message& message : *gone) messages_.erase(message.id.value);
    }
    NOTSO_CHECK(passing_.delete_conversation(key));
    chats_.erase(key.id.value);
    return {};
}

Result<> TemporaryChats::delete_conversations(const std::vector<ConversationKey>& keys) {
    std::vector<ConversationKey> kept;
    for (const ConversationKey& key : keys) {
        if (!is_temporary(key.id)) {
            kept.push_back(key);
            continue;
        }
        NOTSO_CHECK(delete_conversation(key));
    }
    return kept_.delete_conversations(kept);
}

Result<std::vector<TrashedConversation>> TemporaryChats::trashed_conversations() {
    NOTSO_TRY(auto all, kept_.trashed_conversations());
    NOTSO_TRY(const auto passing, passing_.trashed_conversations());
    all.insert(all.end(), passing.begin(), passing.end());
    std::ranges::stable_sort(all, {}, &TrashedConversation::at);
    return all;
}

Result<StoredAmount> TemporaryChats::stored_amount(const OwnerId& owner) {
    NOTSO_TRY(StoredAmount amount, kept_.stored_amount(owner));
    NOTSO_TRY(const StoredAmount passing, passing_.stored_amount(owner));
    amount.conversations += passing.conversations;
    amount.bytes += passing.bytes;
    return amount;
}

Result<> TemporaryChats::append_messages(const OwnerId& owner,
                                         const std::vector<Message>& messages) {
    if (messages.empty() || !is_temporary(messages.front().conversation))
        return kept_.append_messages(owner, messages);
    NOTSO_CHECK(passing_.append_messages(owner, messages));
    for (const Message& message : messages) messages_.insert(message.id.value);
    return {};
}

Result<> TemporaryChats::delete_messages(const ConversationKey& key,
                                         const std::vector<MessageId>& ids) {
    NOTSO_CHECK(of(key.id).delete_messages(key, ids));
    for (const MessageId& id : ids) messages_.erase(id.value);
    return {};
}

Result<> TemporaryChats::clear_messages(const ConversationKey& key) {
    if (!is_temporary(key.id)) return kept_.clear_messages(key);
    NOTSO_TRY(const auto gone, passing_.messages(key));
    NOTSO_CHECK(passing_.clear_messages(key));
    for (const Message& message : gone) messages_.erase(message.id.value);
    return {};
}

Result<std::vector<Conversation>> TemporaryChats::list_conversations(const OwnerId& owner,
                                                                     std::int64_t limit) {
    return kept_.list_conversations(owner, limit);
}

Result<std::vector<Conversation>> TemporaryChats::archived_conversations(const OwnerId& owner,
                                                                         std::int64_t limit) {
    return kept_.archived_conversations(owner, limit);
}

Result<Conversation> TemporaryChats::conversation(const ConversationKey& key) {
    return of(key.id).conversation(key);
}

Result<> TemporaryChats::update_conversation(const Conversation& conversation) {
    return of(conversation.id).update_conversation(conversation);
}

Result<> TemporaryChats::trash_conversation(const ConversationKey& key, UnixMs at) {
    return of(key.id).trash_conversation(key, at);
}

Result<> TemporaryChats::restore_conversation(const ConversationKey& key) {
    return of(key.id).restore_conversation(key);
}

Result<std::vector<SearchHit>> TemporaryChats::search(const OwnerId& owner,
                                                      const std::string& query,
                                                      std::int64_t limit) {
    return kept_.search(owner, query, limit);
}

Result<std::vector<Message>> TemporaryChats::messages(const ConversationKey& key) {
    return of(key.id).messages(key);
}

Result<std::optional<Message>> TemporaryChats::find_by_client_id(const ConversationKey& key,
                                                                 const std::string& client_id) {
    return of(key.id).find_by_client_id(key, client_id);
}

Result<> TemporaryChats::update_message(const Message& message) {
    return of(message.id).update_message(message);
}

Result<> TemporaryChats::append_text(const MessageId& id, const AnswerPiece& piece) {
    return of(id).append_text(id, piece);
}

Result<std::optional<AnswerJournal>> TemporaryChats::journal(const MessageId& id) {
    return of(id).journal(id);
}

Result<> TemporaryChats::put_tool_uses(const MessageId& id, const std::vector<ToolUse>& uses) {
    return of(id).put_tool_uses(id, uses);
}

Result<std::vector<RunningAnswer>> TemporaryChats::running_messages() {
    return kept_.running_messages();
}

Result<> TemporaryChats::add_waiting(const WaitingMessage& message) {
    return of(message.conversation).add_waiting(message);
}

Result<std::vector<WaitingMessage>> TemporaryChats::waiting_messages(const ConversationKey& key) {
    return of(key.id).waiting_messages(key);
}

Result<> TemporaryChats::remove_waiting(const ConversationKey& key, const std::string& client_id) {
    return of(key.id).remove_waiting(key, client_id);
}

Result<std::vector<ConversationKey>> TemporaryChats::conversations_with_waiting() {
    return kept_.conversations_with_waiting();
}

Result<OwnerSettings> TemporaryChats::owner_settings(const OwnerId& owner) {
    return kept_.owner_settings(owner);
}

Result<> TemporaryChats::put_owner_settings(const OwnerId& owner, const OwnerSettings& settings) {
    return kept_.put_owner_settings(owner, settings);
}

Result<std::vector<std::string>> TemporaryChats::allowed_tools(const OwnerId& owner) {
    return kept_.allowed_tools(owner);
}

Result<> TemporaryChats::allow_tool(const OwnerId& owner, const std::string& name) {
    return kept_.allow_tool(owner, name);
}

Result<> TemporaryChats::disallow_tool(const OwnerId& owner, const std::string& name) {
    return kept_.disallow_tool(owner, name);
}

Result<std::vector<StoredNote>> TemporaryChats::notes(const ConversationKey& key) {
    return of(key.id).notes(key);
}

Result<StoredNote> TemporaryChats::add_note(const ConversationKey& key, const std::string& text) {
    return of(key.id).add_note(key, text);
}

Result<> TemporaryChats::remove_note(const ConversationKey& key, std::int64_t number) {
    return of(key.id).remove_note(key, number);
}

Result<std::vector<Summary>> TemporaryChats::summaries(const ConversationKey& key) {
    return of(key.id).summaries(key);
}

Result<> TemporaryChats::put_summary(const ConversationKey& key, const Summary& summary) {
    return of(key.id).put_summary(key, summary);
}

Result<> TemporaryChats::begin_attachment(const ConversationKey& composer,
                                          const AttachedFile& file) {
    if (is_temporary(composer.id))
        return fail(ErrorCode::kUnsupported,
                    "a temporary chat takes no files: nothing of it is stored");
    return kept_.begin_attachment(composer, file);
}

Result<> TemporaryChats::append_attachment(const AttachmentId& id,
                                           AttachmentPart part,
                                           std::string_view bytes) {
    return kept_.append_attachment(id, part, bytes);
}

Result<> TemporaryChats::finish_attachment(const AttachmentId& id) {
    return kept_.finish_attachment(id);
}

Result<std::vector<AttachedFile>> TemporaryChats::composer_files(const ConversationKey& composer) {
    if (is_temporary(composer.id)) return std::vector<AttachedFile>{};
    return kept_.composer_files(composer);
}

Result<AttachedFile> TemporaryChats::attachment(const ConversationKey& key,
                                                const AttachmentId& id) {
    if (is_temporary(key.id)) return fail(ErrorCode::kNotFound, "a temporary chat has no files");
    return kept_.attachment(key, id);
}

Result<std::string> TemporaryChats::read_attachment(const AttachedFile& file,
                                                    AttachmentPart part,
                                                    std::int64_t offset,
                                                    std::int64_t most) {
    return kept_.read_attachment(file, part, offset, most);
}

Result<> TemporaryChats::remove_attachment(const ConversationKey& composer,
                                           const AttachmentId& id) {
    if (is_temporary(composer.id))
        return fail(ErrorCode::kUnsupported,
                    "a temporary chat takes no files: nothing of it is stored");
    return kept_.remove_attachment(composer, id);
}

Result<std::int64_t> TemporaryChats::remove_unsent(UnixMs begun_before, UnixMs unsent_before) {
    return kept_.remove_unsent(begun_before, unsent_before);
}

Result<> TemporaryChats::add_whole(const WholeConversation& whole) {
    if (!whole.conversation.temporary) return kept_.add_whole(whole);
    shed(whole.conversation.owner);
    NOTSO_CHECK(passing_.add_whole(whole));
    chats_.insert(whole.conversation.id.value);
    for (const Message& message : whole.messages) messages_.insert(message.id.value);
    return {};
}

Result<std::unique_ptr<StoreBackup>> TemporaryChats::begin_backup(
    const std::filesystem::path& path) {
    return kept_.begin_backup(path);
}

}  // namespace notso::services

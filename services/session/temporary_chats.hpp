// TemporaryChats: a store around another one that keeps temporary conversations in memory and all
// else in the other. Nothing of a temporary one reaches a disk; it ends with the process, or when
// it was not used for a day.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "services/session/memory_store.hpp"

namespace notso::services {

/// Temporary conversations are neither listed nor found by the search, and no export or backup has
/// them; who knows their id uses them as any other. At most kMaxOfOwner of an owner's are kept, the
/// last used ones.
class TemporaryChats final : public SessionStore {
  public:
    static constexpr std::size_t kMaxOfOwner = 20;
    static constexpr UnixMs kUnusedMs = 24 * 3600 * 1000;

    /// @param kept  Outlives this.
    explicit TemporaryChats(SessionStore& kept) : kept_(kept) {}

    /// In memory where Conversation::temporary says so.
    Result<> create_conversation(const Conversation& conversation) override;
    Result<std::vector<Conversation>> list_conversations(const OwnerId& owner,
                                                         std::int64_t limit) override;
    Result<std::vector<Conversation>> archived_conversations(const OwnerId& owner,
                                                             std::int64_t limit) override;
    Result<Conversation> conversation(const ConversationKey& key) override;
    Result<> update_conversation(const Conversation& conversation) override;
    Result<> delete_conversation(const ConversationKey& key) override;
    Result<> delete_conversations(const std::vector<ConversationKey>& keys) override;
    Result<> trash_conversation(const ConversationKey& key, UnixMs at) override;
    Result<> restore_conversation(const ConversationKey& key) override;
    Result<std::vector<TrashedConversation>> trashed_conversations() override;
    Result<std::vector<SearchHit>> search(const OwnerId& owner,
                                          const std::string& query,
                                          std::int64_t limit) override;
    Result<StoredAmount> stored_amount(const OwnerId& owner) override;
    Result<std::vector<Message>> messages(const ConversationKey& key) override;
    Result<> append_messages(const OwnerId& owner, const std::vector<Message>& messages) override;
    Result<std::optional<Message>> find_by_client_id(const ConversationKey& key,
                                                     const std::string& client_id) override;
    Result<> delete_messages(const ConversationKey& key,
                             const std::vector<MessageId>& ids) override;
    Result<> update_message(const Message& message) override;
    Result<> append_text(const MessageId& id, const AnswerPiece& piece) override;
    Result<std::optional<AnswerJournal>> journal(const MessageId& id) override;
    Result<> put_tool_uses(const MessageId& id, const std::vector<ToolUse>& uses) override;
    Result<std::vector<RunningAnswer>> running_messages() override;
    Result<> add_waiting(const WaitingMessage& message) override;
    Result<std::vector<WaitingMessage>> waiting_messages(const ConversationKey& key) override;
    Result<> remove_waiting(const ConversationKey& key, const std::string& client_id) override;
    Result<std::vector<ConversationKey>> conversations_with_waiting() override;
    Result<OwnerSettings> owner_settings(const OwnerId& owner) override;
    Result<> put_owner_settings(const OwnerId& owner, const OwnerSettings& settings) override;
    Result<std::vector<std::string>> allowed_tools(const OwnerId& owner) override;
    Result<> allow_tool(const OwnerId& owner, const std::string& name) override;
    Result<> disallow_tool(const OwnerId& owner, const std::string& name) override;
    Result<std::vector<StoredNote>> notes(const ConversationKey& key) override;
    Result<StoredNote> add_note(const ConversationKey& key, const std::string& text) override;
    Result<> remove_note(const ConversationKey& key, std::int64_t number) override;
    Result<> clear_messages(const ConversationKey& key) override;
    Result<std::vector<Summary>> summaries(const ConversationKey& key) override;
    Result<> put_summary(const ConversationKey& key, const Summary& summary) override;
    /// A temporary one takes no files. @errors kUnsupported.
    Result<> begin_attachment(const ConversationKey& composer, const AttachedFile& file) override;
    Result<> append_attachment(const AttachmentId& id,
                               AttachmentPart part,
                               std::string_view bytes) override;
    Result<> finish_attachment(const AttachmentId& id) override;
    Result<std::vector<AttachedFile>> composer_files(const ConversationKey& composer) override;
    Result<AttachedFile> attachment(const ConversationKey& key, const AttachmentId& id) override;
    Result<std::string> read_attachment(const AttachedFile& file,
                                        AttachmentPart part,
                                        std::int64_t offset,
                                        std::int64_t most) override;
    Result<> remove_attachment(const ConversationKey& composer, const AttachmentId& id) override;
    Result<std::int64_t> remove_unsent(UnixMs begun_before, UnixMs unsent_before) override;
    Result<> add_whole(const WholeConversation& whole) override;
    Result<std::unique_ptr<StoreBackup>> begin_backup(const std::filesystem::path& path) override;

  private:
    bool is_temporary(const ConversationId& id) const { return chats_.contains(id.value); }
    /// Where a conversation is.
    SessionStore& of(const ConversationId& id);
    /// Where a message is.
    SessionStore& of(const MessageId& id);
    /// Lets go of those that nobody used for long, and of the oldest ones of an owner with many.
    void shed(const OwnerId& owner);

    SessionStore& kept_;
    MemoryStore passing_;
    std::set<std::string> chats_;     // ids of temporary conversations
    std::set<std::string> messages_;  // and of their messages
};

}  // namespace notso::services

// MemoryStore: conversations that live as long as the process. For the terminal chat, for a server
// whose data directory can't be used, and as the plain twin of SqliteStore in the contract test.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/session/session_store.hpp"

namespace notso::services {

/// Keeps everything in vectors; lookups are linear. Same contract and same errors as the database.
class MemoryStore : public SessionStore {
  public:
    Result<> create_conversation(const Conversation& conversation) override;
    Result<std::vector<Conversation>> list_conversations(const OwnerId& owner,
                                                         std::int64_t limit) override;
    Result<std::vector<Conversation>> archived_conversations(const OwnerId& owner,
                                                             std::int64_t limit) override;
    Result<Conversation> conversation(const ConversationKey& key) override;
    Result<> update_conversation(const Conversation& conversation) override;
    Result<> delete_conversation(const ConversationKey& key) override;
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
    Result<std::vector<Summary>> summaries(const ConversationKey& key) override;
    Result<> put_summary(const ConversationKey& key, const Summary& summary) override;
    Result<> add_whole(const WholeConversation& whole) override;
    Result<std::unique_ptr<StoreBackup>> begin_backup(const std::filesystem::path& path) override;

  private:
    /// A file, and the conversation it belongs to (empty id: the next one).
    struct StoredFile {
        ConversationKey place;
        AttachedFile file;
        bool finished = false;
        std::string bytes = {};
        std::string text = {};
    };

    Result<StoredFile*> find(const AttachmentId& id);
    /// Gives a message files of a composer or of its own conversation. @errors kNotFound.
    Result<> take_files(const OwnerId& owner, Message& message);
    /// Removes files that belonged to messages and now to none.
    void drop_unused();
    bool is_used(const AttachmentId& id) const;
    Result<Conversation*> find(const ConversationKey& key);
    Result<Message*> find(const MessageId& id);
    bool taken(const Message& message) const;
    bool is_trashed(const ConversationId& id) const;
    std::vector<Conversation> conversations_of(const OwnerId& owner) const;

    std::vector<Conversation> conversations_;  // in order of creation
    std::vector<Message> messages_;            // in order of arrival
    std::vector<TrashedConversation> trash_;
    std::vector<WaitingMessage> waiting_;
    std::vector<std::pair<OwnerId, std::string>> allowed_tools_;
    std::map<OwnerId, OwnerSettings> settings_;
    std::map<std::string, std::vector<Summary>> summaries_;  // by conversation
    struct Notes {
        std::vector<StoredNote> kept;
        std::int64_t last = 0;  // number
    };
    std::map<std::string, Notes> notes_;  // by conversation
    std::vector<StoredFile> files_;
    std::vector<AttachmentId> sent_;  // files that a message has, or had until a moment ago
};

}  // namespace notso::services

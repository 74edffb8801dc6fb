// SqliteStore: conversations in one SQLite file, by one connection that owns all reads, writes and
// checkpoints. Every acknowledged write is on the disk, except the pieces of running answers (see
// append_text).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/accounts/sqlite_accounts.hpp"
#include "services/session/search_hits.hpp"
#include "services/session/session_store.hpp"
#include "services/session/sqlite.hpp"

namespace notso::services {

struct SqliteOptions {
    std::int64_t max_bytes =
        0;  ///< Size limit of the file; 0 = what the disk holds. A full one gives kIo.
};

class SqliteStore final : public SessionStore {
  public:
    /// Opens or creates the file and brings it to the newest layout. The caller holds the data
    /// directory's lock.
    static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& path,
                                                     SqliteOptions options = {});

    Result<> create_conversation(const Conversation& conversation) override;
    Result<std::vector<Conversation>> list_conversations(const OwnerId& owner,
                                                         std::int64_t limit) override;
    Result<std::vector<Conversation>> archived_conversations(const OwnerId& owner,
                                                             std::int64_t limit) override;
    Result<Conversation> conversation(const ConversationKey& key) override;
    Result<> update_conversation(const Conversation& conversation) override;
    /// Overwrites what it deletes, in the write-ahead log too.
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

    /// Deletes all conversations of an owner, those in the trash too, what they allowed
    /// and what they set.
    Result<> delete_all_of(const OwnerId& owner);

    AccountStore& accounts() { return accounts_; }

    /// SQLite's own integrity check. @errors kCorruptData with what it found. @cost reads the whole
    /// file.
    Result<> check_integrity();
    /// Whether a write is on the disk when it is acknowledged. Always so between calls.
    Result<bool> syncs_writes();

  private:
    explicit SqliteStore(std::unique_ptr<sqlite::Database> database)
        : database_(std::move(database)), accounts_(*database_) {}

    Result<> insert(const Message& message);
    Result<> insert(const WaitingMessage& message);
    Result<> write(const Message& message);
    Result<> write_journal(const Message& message);
    Result<> write_tool_uses(const MessageId& id, const std::vector<ToolUse>& uses);
    Result<> add_pieces(std::vector<Message>& messages);
    Result<> add_tool_uses(const ConversationId& id, std::vector<Message>& messages);
    Result<> require_composer(const ConversationKey& composer);
    Result<> link_files(const OwnerId& owner, const Message& message);
    Result<> add_files(const ConversationId& id, std::vector<Message>& messages);
    Result<> set_waiting_files(const WaitingMessage& message);
    Result<> add_waiting_files(const ConversationId& id, std::vector<WaitingMessage>& messages);
    Result<OwnerId> owner_of(const ConversationId& id);
    Result<> require(const ConversationKey& key);
    Result<> find_titles(const OwnerId& owner, SearchHits& hits);
    Result<> find_messages(const OwnerId& owner, SearchHits& hits);
    void shed_words();
    void shed_log();

    std::unique_ptr<sqlite::Database> database_;
    SqliteAccounts accounts_;
};

}  // namespace notso::services

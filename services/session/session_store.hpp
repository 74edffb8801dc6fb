// SessionStore: conversations and messages, kept. One implementation per database; one contract
// test for all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "services/backend/thinking_end.hpp"
#include "services/session/attachment_store.hpp"
#include "services/session/chat_settings.hpp"
#include "services/session/owner_id.hpp"

namespace notso::services {

enum class MessageRole { kUser, kAssistant };
enum class MessageState {
    kComplete,     ///< Finished by itself.
    kRunning,      ///< Being written (after a crash: as far as it was shown).
    kStopped,      ///< The user stopped it; the text so far is kept.
    kInterrupted,  ///< The server went away in the middle.
    kLength,       ///< Cut by the token limit or the context.
    kFailed,       ///< See error.
};

struct Conversation {
    ConversationId id;
    std::string title;  ///< Empty until the first message.
    bool thinking = false;
    std::string date =
        {};  ///< "today" of its prompts, frozen at creation: 2026-11-23T09:00:00 (local time)
    UnixMs created_at = 0;
    UnixMs updated_at = 0;
    std::string model = {};  ///< Id of the model that answers; empty = the default one.
    MessageId leaf = {};     ///< Last message of the path that is shown; empty = the newest.
    bool pinned = false;     ///< Listed before the others.
    OwnerId owner = {};      ///< Never changes.
    ChatSettings settings = {};
    bool temporary = false;  ///< See TemporaryChats; a store of its own keeps it.
    bool archived = false;  ///< Not listed with the others; found and used as any other.

    ConversationKey key() const { return {owner, id}; }
};

/// What became of a call of a tool.
enum class ToolUseState {
    kAsking,  ///< Somebody has to allow it.
    kRunning,
    kDone,
    kFailed,  ///< The output says what went wrong; it goes to the model as any other.
    kDenied,
    kInterrupted,  ///< The server went away, or somebody stopped the answer: not known how far it
                   ///< came.
};

/// A call of a tool within an answer, and what it gave.
struct ToolUse {
    std::string id;  ///< As the model's answer names it; unique within the message.
    std::string name;
    std::string arguments;  ///< JSON text.
    ToolUseState state = ToolUseState::kRunning;
    std::string output = {};
    std::int64_t round = 0;        ///< Calls of one round were made together.
    std::int64_t text_offset = 0;  ///< Bytes of the answer's text that stand before it.
    std::string sends_to = {};     ///< Where its arguments go; empty: they stay in this program.

    /// Where it stands in the answer's text, whatever the database says.
    std::size_t begin_in(std::string_view text) const {
        return static_cast<std::size_t>(std::clamp<std::int64_t>(text_offset, 0, std::ssize(text)));
    }

    bool operator==(const ToolUse&) const = default;
};

/// Something that a tool has written down for a conversation.
struct StoredNote {
    std::int64_t number = 0;  ///< From 1, never used again.
    std::string text;

    bool operator==(const StoredNote&) const = default;
};

/// What stands in a prompt for the beginning of a conversation.
struct Summary {
    MessageId
        until;  ///< The answer up to which it tells what was said, on the path to that answer.
    std::string text;
    std::int64_t prompt_tokens = 0;  ///< Of the prompt that it led to; 0 = not known.
    UnixMs created_at = 0;
};

struct MessageStats {
    std::int64_t prompt_tokens = 0;
    std::int64_t cached_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::int64_t reasoning_tokens = 0;
    std::int64_t draft_tokens = 0;     ///< Guessed ahead.
    std::int64_t accepted_tokens = 0;  ///< Of those, confirmed.
    double first_token_ms = 0;         ///< From the turn's start.
    double tokens_per_second = 0;
    double thinking_ms = 0;
    ThinkingEndReason thinking_end = ThinkingEndReason::kModel;  ///< Who ended the thoughts.
    std::string model = {};  ///< Id of the model that wrote it; empty: nobody knows.
};

/// What it takes to go on with an answer exactly where it is.
struct AnswerJournal {
    std::string model = {};    ///< Id of the model that writes it.
    bool thinking = false;     ///< As it was asked for.
    std::uint64_t seed = 0;    ///< Of its sampling.
    std::int64_t runs = 0;     ///< How often it went on, for whatever reason.
    std::int64_t crashes = 0;  ///< How often the process died while it was written, in a row.
    /// Between calls of tools an answer is written in rounds; what follows is of the last one.
    std::int64_t round = 0;
    std::int64_t text_begin = 0;      ///< Bytes of the text that earlier rounds wrote.
    std::int64_t thinking_begin = 0;  ///< The same of the thoughts.
    std::int64_t tokens_before = 0;   ///< Tokens that earlier rounds wrote.
    std::int64_t reasoning_before = 0;
    std::vector<std::int32_t> tokens = {};  ///< Empty where the backend has no ids.
    /// As it began with them, max_tokens aside: that is what the whole answer may have by now.
    /// Absent in journals of earlier layouts.
    std::optional<ChatSettings> settings = {};

    bool operator==(const AnswerJournal&) const = default;
};

/// What an answer that is being written has said since the last piece.
struct AnswerPiece {
    std::string_view thinking = {};
    std::string_view text = {};
    std::span<const std::int32_t> tokens = {};
};

struct Message {
    MessageId id;
    ConversationId conversation;
    std::optional<MessageId> parent = {};
    MessageRole role = MessageRole::kUser;
    MessageState state = MessageState::kComplete;
    std::string text;
    std::string thinking = {};
    std::string error = {};
    MessageStats stats = {};
    std::string client_id =
        {};  ///< Chosen by the page; a repeated send with the same one is the same message.
    UnixMs created_at = 0;
    std::vector<ToolUse> tool_uses = {};        ///< In the order in which they were called.
    std::optional<AnswerJournal> journal = {};  ///< Of answers that may go on; see journal().
    std::vector<AttachedFile> files = {};       ///< In their order; without their texts.
};

/// A message that somebody has sent while an answer was written: it is sent after it.
struct WaitingMessage {
    OwnerId owner;
    ConversationId conversation;
    std::string client_id;  ///< Message::client_id of what it becomes; its name until then.
    std::string text;
    std::optional<bool> thinking = {};  ///< Of its answer; absent = the conversation's setting.
    UnixMs created_at = 0;
    std::vector<AttachmentUse> files = {};  ///< They lie in the composer until it is sent, unseen.

    ConversationKey key() const { return {owner, conversation}; }
    bool operator==(const WaitingMessage&) const = default;
};

/// Where a text was found.
struct SearchHit {
    Conversation conversation;
    MessageId message = {};    ///< Empty: the title has it.
    std::string snippet = {};  ///< Part of the text around the match, on one line.
    std::size_t begin = 0;     ///< Of the match within the snippet, in bytes.
    std::size_t end = 0;
};

/// What an owner has, the trash included.
struct StoredAmount {
    std::int64_t conversations = 0;
    std::int64_t bytes = 0;  ///< Of the texts and thoughts of messages, and of files.

    bool operator==(const StoredAmount&) const = default;
};

/// All there is of a conversation.
struct WholeConversation {
    Conversation conversation;
    std::vector<Message> messages;  ///< In the order in which they were written.
    std::vector<Summary> summaries = {};
    std::vector<StoredNote> notes = {};
    std::vector<WaitingMessage> waiting = {};
};

/// A copy of a store that is being made while the store is used.
class StoreBackup {
  public:
    virtual ~StoreBackup() = default;
    /// Copies some more. @return False when the copy is whole. @errors kIo, kBusy.
    virtual Result<bool> step() = 0;
};

/// A conversation that can still be restored.
struct TrashedConversation {
    ConversationKey key;
    UnixMs at = 0;  ///< When it was put there.
};

/// An answer that nobody writes any more.
struct RunningAnswer {
    OwnerId owner;
    Message message;
};

/// Not thread-safe: all calls come from the one database thread. Every acknowledged write survives
/// a crash. What belongs to somebody else is kNotFound, as if it did not exist. Errors: kNotFound;
/// kIo (disk full), kPermissionDenied (read-only), kBusy, kCorruptData,
/// each with what to do.
class SessionStore : public AttachmentStore {
  public:
    /// @errors kInvalidArgument: it has no owner; kAlreadyExists.
    virtual Result<> create_conversation(const Conversation& conversation) = 0;
    /// Those that are not archived. Pinned ones first, then last used first (updated_at), at most
    /// `limit`.
    virtual Result<std::vector<Conversation>> list_conversations(const OwnerId& owner,
                                                                 std::int64_t limit) = 0;
    /// Those that are archived, last used first, at most `limit`.
    virtual Result<std::vector<Conversation>> archived_conversations(const OwnerId& owner,
                                                                     std::int64_t limit) = 0;
    virtual Result<Conversation> conversation(const ConversationKey& key) = 0;
    virtual Result<> update_conversation(const Conversation& conversation) = 0;
    virtual Result<> delete_conversation(const ConversationKey& key) = 0;
    /// As that for each of them, but what takes long is done once.
    virtual Result<> delete_conversations(const std::vector<ConversationKey>& keys) {
        for (const ConversationKey& key : keys) NOTSO_CHECK(delete_conversation(key));
        return {};
    }

    /// Hides a conversation: but for restoring and deleting it, it is kNotFound from now on.
    virtual Result<> trash_conversation(const ConversationKey& key, UnixMs at) = 0;
    /// @errors kNotFound: nothing with this id is in the trash.
    virtual Result<> restore_conversation(const ConversationKey& key) = 0;
    /// What can be restored, in the order in which it was put there; everybody's.
    virtual Result<std::vector<TrashedConversation>> trashed_conversations() = 0;

    /// Conversations whose title has `query` in it, last used first, then of every conversation the
    /// newest message that has it; at most `limit` in all. Nothing in the query has a meaning of
    /// its own; it ends at a NUL. Upper and lower case are the same (of a query with less than
    /// three characters perhaps only in ASCII). Answers are found once they have ended.
    virtual Result<std::vector<SearchHit>> search(const OwnerId& owner,
                                                  const std::string& query,
                                                  std::int64_t limit) = 0;

    /// Text of a running answer may count only once it has ended.
    virtual Result<StoredAmount> stored_amount(const OwnerId& owner) = 0;

    /// Messages in order, oldest first.
    virtual Result<std::vector<Message>> messages(const ConversationKey& key) = 0;
    /// Appends all or none, moves the conversation's updated_at to the newest created_at and its
    /// leaf to the last of them.
    /// Of their files only id and prompt_bytes count: they are taken from the conversation's
    /// composer, that of a new one, or another message of it. @errors kNotFound: one is not there;
    /// kAlreadyExists when a client_id is there already in that conversation, or an id anywhere.
    virtual Result<> append_messages(const OwnerId& owner,
                                     const std::vector<Message>& messages) = 0;
    /// The message that a client_id names, if any.
    virtual Result<std::optional<Message>> find_by_client_id(const ConversationKey& key,
                                                             const std::string& client_id) = 0;
    /// Removes all or none, of that conversation. What followed a removed message follows its
    /// parent instead, the conversation's leaf too.
    virtual Result<> delete_messages(const ConversationKey& key,
                                     const std::vector<MessageId>& ids) = 0;
    /// Writes state, text, thinking, error, stats and journal; the rest of a message never changes.
    virtual Result<> update_message(const Message& message) = 0;
    /// Adds what an answer that is being written has said since. Cheap: meant to be called before
    /// each piece is shown, so that nothing shown is lost when the process dies (a power cut may
    /// take the last pieces).
    virtual Result<> append_text(const MessageId& id, const AnswerPiece& piece) = 0;
    /// The journal of an answer, with the tokens of its pieces; messages() and others that read
    /// messages leave it out, but for running_messages(). Empty: it has none.
    virtual Result<std::optional<AnswerJournal>> journal(const MessageId& id) = 0;
    /// Adds uses of tools to an answer, or writes state and output of those whose id is there.
    virtual Result<> put_tool_uses(const MessageId& id, const std::vector<ToolUse>& uses) = 0;
    /// Answers that a crash or a stop of the server left kRunning, oldest first, with their
    /// journals; everybody's.
    virtual Result<std::vector<RunningAnswer>> running_messages() = 0;

    /// Puts a message at the end of its conversation's line. @errors kAlreadyExists: its client_id
    /// waits there already.
    virtual Result<> add_waiting(const WaitingMessage& message) = 0;
    /// In the order in which they were put there.
    virtual Result<std::vector<WaitingMessage>> waiting_messages(const ConversationKey& key) = 0;
    /// Takes a message out of the line. @errors kNotFound: it is not there.
    virtual Result<> remove_waiting(const ConversationKey& key, const std::string& client_id) = 0;
    /// Those in which messages wait, without those in the trash; everybody's.
    virtual Result<std::vector<ConversationKey>> conversations_with_waiting() = 0;

    /// What an owner has set; the defaults where that is nothing.
    virtual Result<OwnerSettings> owner_settings(const OwnerId& owner) = 0;
    /// Takes the place of all that the owner had set. @errors kInvalidArgument: no owner;
    /// kAlreadyExists: two presets with one name.
    virtual Result<> put_owner_settings(const OwnerId& owner, const OwnerSettings& settings) = 0;

    /// Tools that may act without asking, in any conversation of that owner.
    virtual Result<std::vector<std::string>> allowed_tools(const OwnerId& owner) = 0;
    virtual Result<> allow_tool(const OwnerId& owner, const std::string& name) = 0;
    /// Takes that back. @errors kNotFound: it was not allowed.
    virtual Result<> disallow_tool(const OwnerId& owner, const std::string& name) = 0;
    /// Notes of a conversation, in their order.
    virtual Result<std::vector<StoredNote>> notes(const ConversationKey& key) = 0;
    virtual Result<StoredNote> add_note(const ConversationKey& key, const std::string& text) = 0;
    /// @errors kNotFound: no note has this number.
    virtual Result<> remove_note(const ConversationKey& key, std::int64_t number) = 0;
    /// Also those that wait. What lies in the composer stays.
    virtual Result<> clear_messages(const ConversationKey& key) = 0;

    /// Summaries of a conversation, in the order of the messages that they end at. None outlives a
    /// message of its conversation: each may have its words.
    virtual Result<std::vector<Summary>> summaries(const ConversationKey& key) = 0;
    /// Takes the place of one that ends at the same message. @errors kNotFound: it was deleted.
    virtual Result<> put_summary(const ConversationKey& key, const Summary& summary) = 0;

    /// Adds a conversation with all that belongs to it, or nothing. Files of its messages are some
    /// that the owner has begun in the composer of the next conversation. @errors kAlreadyExists,
    /// kNotFound, kCorruptData as append_messages() and finish_attachment().
    virtual Result<> add_whole(const WholeConversation& whole) = 0;
    /// Begins a copy of everything, everybody's, as it is when it ends. The file must not be there.
    /// @errors kUnsupported: this store has nothing that could be copied.
    virtual Result<std::unique_ptr<StoreBackup>> begin_backup(
        const std::filesystem::path& path) = 0;
};

}  // namespace notso::services

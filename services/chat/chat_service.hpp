// ChatService: what a person can do in the app, whatever shows it (page, terminal, the older JSON
// endpoints). Lives on the io thread. Database work goes to the database worker, prompts to the
// compute worker; completions come back on the io thread. A generation belongs to this service,
// never to a socket.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/chat/context_ledger.hpp"
#include "services/chat/message_tree.hpp"
#include "services/chat/quota.hpp"
#include "services/chat/tool_round.hpp"
#include "services/chat/turn_feed.hpp"
#include "services/session/session_store.hpp"
#include "services/settings/setting_fields.hpp"

namespace notso::services {

template <class T = void>
using Completion = std::move_only_function<void(Result<T>)>;

struct ConversationView {
    Conversation conversation;
    std::vector<Message> messages;             ///< Of the path that is shown, first to last.
    std::vector<Versions> versions = {};       ///< Of each of them; empty when nobody asked.
    std::shared_ptr<TurnFeed> running;         ///< Null when nothing is being written.
    std::vector<WaitingMessage> waiting = {};  ///< Sent, one after the other, after what runs.
    std::vector<std::string> follow_ups = {};  ///< What could be asked next; written by the model.
    bool more_follows = false;  ///< when_settled() will tell when title and follow_ups stand.
    bool can_continue = false;  ///< The last answer was cut, and its model can go on with it.
    ContextUse context = {};    ///< How full its next prompt will be.
};

struct SendRequest {
    ConversationKey conversation;
    std::string text;                   ///< 1..256 KiB of UTF-8, not blank.
    std::string client_id = {};         ///< Empty: one is made.
    std::optional<bool> thinking = {};  ///< This message only; absent = the conversation's setting.
    /// The same for Conversation::thinking_budget.
    std::optional<std::int64_t> thinking_budget = {};
    std::uint64_t user = 0;  ///< Who sends it (ChatRequest::user).
    ChatPriority priority = ChatPriority::kInteractive;
    /// A message of the person's that this one stands beside: the conversation goes on from here
    /// instead. Absent: it comes after what is shown.
    std::optional<MessageId> edits = {};
    /// While an answer runs it waits for its end instead of being refused. Not with `edits`.
    bool may_wait = false;
    /// At most kMaxAttachments, from the conversation's composer or (of a new one) the next
    /// conversation's; of an edited message also its own. How much of them the model reads is found
    /// out here.
    std::vector<AttachmentUse> files = {};
};

/// Asks for another answer to the same question.
struct RegenerateRequest {
    ConversationKey conversation;
    MessageId question;
    MessageId answer;            ///< The new one stands beside it; it stays as it is.
    std::string client_id = {};  ///< As SendRequest::client_id.
    std::uint64_t user = 0;      ///< Who asks (ChatRequest::user).
};

/// Asks for the rest of an answer that was cut.
struct ContinueRequest {
    ConversationKey conversation;
    MessageId answer;
    std::uint64_t user = 0;  ///< Who asks (ChatRequest::user).
};

/// Another version of an answer, written by the person.
struct ReviseRequest {
    ConversationKey conversation;
    MessageId answer;  ///< The new one stands beside it; it stays as it is.
    std::string text;  ///< As SendRequest::text.
};

/// What a person says to a call of a tool that asks.
struct ToolVerdict {
    ConversationKey conversation;
    std::string use;  ///< ToolUse::id
    ToolDecision decision = ToolDecision::kDeny;
};

/// A tool as people see it.
struct ToolOffer {
    ToolInfo info;  ///< Of one that is not there now only the name.
    bool there = true;
    bool always = false;  ///< Runs without asking, since somebody said so.
};

/// Asks for a summary of what was said.
struct CompactRequest {
    ConversationKey conversation;
    std::uint64_t user = 0;  ///< Who asks (ChatRequest::user).
};

/// What somebody is typing.
struct DraftRequest {
    ConversationKey conversation;
    std::string text;  ///< As SendRequest::text; blank = nothing is read.
    bool thinking = false;
    std::uint64_t user = 0;
    std::vector<AttachmentUse> files = {};  ///< As SendRequest::files.
};

struct SentMessage {
    Message user;                    ///< Empty, as `answer`, where the message waits.
    Message answer;                  ///< kRunning, empty.
    std::shared_ptr<TurnFeed> feed;  ///< Null when a repeated send found the turn already finished.
    bool repeated = false;           ///< The same was sent before.
    bool waits = false;              ///< It is sent after the answer that runs.
};

struct ChatServiceDeps {
    ChatBackend& backend;
    SessionStore& store;  ///< Used on `database` only.
    Executor& io;
    Executor& database;
    Executor& compute;  ///< Templating and tokenising.
    /// Work that nobody asked for, at lowest priority: read ahead, make a title and follow-ups
    /// after each answer, read drafts.
    bool background = false;
    ToolDesk tools = {};            ///< What models may call that can call tools.
    Quota quota = {};               ///< Of each owner but the person at this machine.
    std::int64_t undo_ms = 30'000;  ///< For how long a removed conversation can be restored.
    /// Of conversations that have none of their own: most tokens of thoughts; 0 = no limit.
    std::int64_t thinking_budget = 0;
    /// Answers that the end of the process cuts go on by themselves in the next one.
    bool continue_unfinished = false;
};

/// What belongs to somebody else is kNotFound everywhere, as if it did not exist.
class ChatService {
  public:
    /// What a crash left running goes on or is marked as interrupted, before anything else is read.
    /// An answer that crashes repeatedly cut is not tried again. Destroy it on
    /// the io thread, and the backend only after it and after `compute` has stopped; completions
    /// due after that are dropped.
    static std::unique_ptr<ChatService> create(const ChatServiceDeps& deps);
    virtual ~ChatService() = default;

    /// With the settings that the owner has chosen for new ones.
    virtual void create_conversation(OwnerId owner, Completion<Conversation> done) = 0;
    /// One of which nothing is stored: TemporaryChats.
    virtual void create_temporary(OwnerId owner, Completion<Conversation> done) = 0;
    /// Those that are not archived.
    virtual void list_conversations(OwnerId owner, Completion<std::vector<Conversation>> done) = 0;
    virtual void list_archived(OwnerId owner, Completion<std::vector<Conversation>> done) = 0;
    virtual void open(ConversationKey key, Completion<ConversationView> done) = 0;
    /// Every message of a conversation, also of versions that are not shown, in the order in which
    /// they were written.
    virtual void all_messages(ConversationKey key, Completion<std::vector<Message>> done) = 0;
    /// @errors kInvalidArgument: not 1..200 characters of UTF-8.
    virtual void rename(ConversationKey key, std::string title, Completion<> done) = 0;
    virtual void set_thinking(ConversationKey key, bool on, Completion<Conversation> done) = 0;
    /// See Conversation::thinking_budget. @errors kInvalidArgument: not 0..kMaxThinkingBudget.
    virtual void set_thinking_budget(ConversationKey key,
                                     std::optional<std::int64_t> tokens,
                                     Completion<Conversation> done) = 0;
    /// Of conversations that have none of their own; 0 = no limit.
    virtual std::int64_t thinking_budget() const = 0;
    /// How answers are made from the next one on. @errors kInvalidArgument naming the setting, its
    /// value and what is allowed; kTooLarge.
    virtual void set_settings(ConversationKey key,
                              ChatSettings settings,
                              Completion<Conversation> done) = 0;
    /// What settings may ask for on this server.
    virtual SettingLimits setting_limits() const = 0;
    /// @errors kInvalidArgument: not 0..2.
    virtual void set_temperature(ConversationKey key,
                                 double value,
                                 Completion<Conversation> done) = 0;
    /// The model that answers from now on; empty = the default. @errors kNotFound: no such model.
    virtual void set_model(ConversationKey key,
                           std::string model,
                           Completion<Conversation> done) = 0;
    /// Removes the messages, keeps the conversation; stops a running answer first.
    virtual void clear(ConversationKey key, Completion<> done) = 0;
    /// Stops a running answer first. It is gone for everybody, and can be restored for
    /// ChatServiceDeps::undo_ms, or until the service ends; then nothing of it is left.
    virtual void remove(ConversationKey key, Completion<> done) = 0;
    /// @errors kNotFound: it is gone for good.
    virtual void restore(ConversationKey key, Completion<Conversation> done) = 0;
    /// As remove(), for good and at once.
    virtual void erase(ConversationKey key, Completion<> done) = 0;
    virtual void set_pinned(ConversationKey key, bool on, Completion<Conversation> done) = 0;
    virtual void set_archived(ConversationKey key, bool on, Completion<Conversation> done) = 0;
    /// Where a text stands in titles and messages: SessionStore::search(), at most 50 hits. White
    /// space around the query does not count; nothing is found for a blank one.
    /// @errors kInvalidArgument: no UTF-8, or more than 400 characters.
    virtual void search(OwnerId owner,
                        std::string query,
                        Completion<std::vector<SearchHit>> done) = 0;

    /// Stores the user's message and the empty answer in one transaction, then starts the turn.
    /// `done` runs after the commit. While an answer runs in that conversation it waits, as all
    /// that were sent since do, or is refused with kBusy (SendRequest::may_wait). Messages that
    /// wait outlive the process; at most 20 do, then it is kOverloaded. @errors also
    /// kInvalidArgument, kTooLarge, kNotFound (also: a file is gone), kPermissionDenied (a quota is
    /// used up), kUnavailable (shutting down), kContextLength (the message with its files is more
    /// than the model can read, and it can't call read_document for the rest of them), and the
    /// store's: then nothing is stored.
    virtual void send(SendRequest request, Completion<SentMessage> done) = 0;
    /// Takes back a message that waits. @errors kNotFound: it waits no more.
    virtual void withdraw(ConversationKey key,
                          std::string client_id,
                          Completion<WaitingMessage> done) = 0;
    /// Stores an empty answer beside the old one and starts its turn, as send() does. The same
    /// client_id again finds the first one's answer. @errors as send().
    virtual void regenerate(RegenerateRequest request, Completion<SentMessage> done) = 0;
    /// Goes on with the last answer of a conversation exactly where it was cut: by stop(), by its
    /// length, by an error or by the end of the process. Asked twice, it goes on once.
    /// @errors kInvalidArgument: it is not the last, or not cut; kUnsupported: its model is remote;
    /// others as send().
    virtual void continue_answer(ContinueRequest request, Completion<SentMessage> done) = 0;
    /// Stores the person's version of an answer, and shows it. @errors as send().
    virtual void revise(ReviseRequest request, Completion<Message> done) = 0;
    /// A new conversation with what this one says up to a message: fork_conversation().
    /// @errors kNotFound; kBusy while an answer runs; kPermissionDenied: a quota is used up.
    virtual void fork(ConversationKey key, MessageId message, Completion<Conversation> done) = 0;
    /// Shows the newest path through a message. @errors kNotFound; kBusy while an answer runs.
    virtual void show_version(ConversationKey key, MessageId message, Completion<> done) = 0;
    /// Removes an answer, or a question with all its answers; what came after stays.
    /// @errors kNotFound; kBusy while an answer runs.
    virtual void remove_message(ConversationKey key, MessageId message, Completion<> done) = 0;
    /// Reads a draft ahead, so that the message it becomes starts sooner. Takes the place of the
    /// conversation's last draft; given up as soon as anybody sends anything. The text is neither
    /// stored nor logged. Does nothing, successfully, unless reads_drafts(), a local model is
    /// loaded, and nothing else runs. `done` does not wait for the reading. @errors kTooLarge,
    /// kInvalidArgument, kNotFound.
    virtual void read_draft(DraftRequest request, Completion<> done) = 0;
    virtual bool reads_drafts() const = 0;
    /// What the model would read if a message were sent now. @errors kNotFound; kUnavailable: the
    /// model is not loaded yet.
    virtual void context(ConversationKey key, Completion<ContextLedger> done) = 0;
    /// Has the model summarise everything but the newest question and its answer, for its own
    /// prompts: no message changes. Where background work is on, this happens by itself when an
    /// answer leaves less than 15 % of the prompt's room. @errors kNotFound; kBusy while an answer
    /// is written, or a summary; kInvalidArgument: there is nothing to summarise; kUnavailable: the
    /// model wrote none.
    virtual void compact(CompactRequest request, Completion<> done) = 0;
    /// Ends the running answer; the partial text is kept (kStopped). What waits is sent then. Ends
    /// a summary that somebody asked for (kCancelled). Without any: success.
    virtual void stop(ConversationKey key, Completion<> done) = 0;
    /// Ends the thoughts of the running answer; what they lead to follows. Without one: success.
    /// @errors kUnsupported: the model that answers can't be asked.
    virtual void answer_now(ConversationKey key, Completion<> done) = 0;
    /// What models may call, in the order in which they see it, then what this owner always allows
    /// and is not there now.
    virtual void list_tools(OwnerId owner, Completion<std::vector<ToolOffer>> done) = 0;
    /// A tool that the owner always allowed asks before each call again. @errors kNotFound: it was
    /// not.
    virtual void ask_again(OwnerId owner, std::string tool, Completion<> done) = 0;
    /// Decides about a call of a tool that asks. @errors kNotFound: none with this id asks.
    virtual void decide_tool(ToolVerdict verdict, Completion<> done) = 0;

    /// The running or just finished turn of an answer in that conversation (kept for replay for
    /// some minutes), or null.
    virtual std::shared_ptr<TurnFeed> feed(const ConversationKey& key, const MessageId& answer) = 0;
    virtual std::shared_ptr<TurnFeed> running(const ConversationKey& key) = 0;
    /// `done` when nothing is made in the background for that conversation: open() then has it.
    /// Within 10 s of its last answer.
    virtual void when_settled(ConversationKey key, Completion<> done) = 0;

    /// Accepts no new turns; `done` when the running ones have ended and are stored, or were saved
    /// as interrupted after `grace_ms`.
    virtual void shut_down(std::int64_t grace_ms, Completion<> done) = 0;
};

}  // namespace notso::services

// Turn: one answer from the stored question to the stored end. Owns the backend's stream while it
// runs; belongs to the server, never to a socket. Lives on the io thread; fitting and templating
// run on `compute`, writes on `database`.
//
// Every piece is stored before it is shown, so what a reader has seen survives the death of the
// process, and with the tokens of it the answer can go on there. When storing fails the answer goes
// on in memory and its end says so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/chat/context_window.hpp"
#include "services/chat/event_inbox.hpp"
#include "services/chat/store_client.hpp"
#include "services/chat/tool_round.hpp"
#include "services/chat/turn_feed.hpp"

namespace notso::services {

struct TurnDeps {
    ChatBackend& backend;
    Executor& io;
    Executor& compute;
    StoreClient store;
    /// Runs once on io when the answer has ended. `stored` is false when its end could not be
    /// written.
    std::function<void(const Message& answer, bool stored)> on_end;
    bool more_follows = false;  ///< on_end goes on with a whole, stored answer; readers are told.
    ToolDesk tools = {};        ///< What the model may call.
    std::int64_t thinking_budget = 0;  ///< See ChatServiceDeps.
    /// What the server's end interrupts stays kRunning in the store: the next process goes on.
    bool goes_on_later = false;
};

class Turn : public std::enable_shared_from_this<Turn> {
  public:
    /// @param owner   Of the answer's conversation.
    /// @param answer  The empty answer in state kRunning; may not be stored yet.
    static std::shared_ptr<Turn> create(TurnDeps deps, OwnerId owner, Message answer);

    /// Begins, once question and answer are stored.
    void begin(PromptSource source);
    /// Takes the place of an answer that was cut, with its journal, and shows what there is of it.
    void take_over(Message answer);
    /// Goes on with it: with calls of tools that an earlier process left it at, or exactly where it
    /// was cut. After take_over().
    void resume(PromptSource source);
    /// The user wants no more: the text so far is kept as kStopped. At any moment. Waits for the
    /// backend to say how far it came; called again, it no longer does.
    void stop() { end_early(MessageState::kStopped); }
    /// The user wants the answer now: thoughts end as soon as the backend can end them, at any
    /// moment.
    /// @errors kUnsupported where it can't.
    Result<> answer_now();
    /// The server goes away: ends at once, without waiting for the backend, as kInterrupted. At
    /// calls of tools, or with goes_on_later, the answer stays kRunning in the store.
    void interrupt() { end_early(MessageState::kInterrupted); }
    /// A person decides about a call. @errors kNotFound: none with this id asks.
    void decide_tool(const std::string& use,
                     ToolDecision decision,
                     std::move_only_function<void(Result<>)> done);
    /// Nothing goes on until a person decides.
    bool waits_for_person() const { return round_ && round_->asks(); }

    const std::shared_ptr<TurnFeed>& feed() const { return feed_; }
    const Message& answer() const { return answer_; }
    const ConversationKey& conversation() const { return feed_->conversation(); }

  private:
    // Filled by the compute thread, then read on io. Held here and by the compute task, never by a
    // task that waits on io: the stream must not outlive the backend when the io loop has stopped.
    struct StartOutcome {
        Result<std::unique_ptr<ChatStream>> stream;
        std::int64_t messages_left_out = 0;
    };

    // What the backend tells again of an answer that goes on.
    struct Retold {
        std::string thinking;
        std::string text;
        std::vector<std::int32_t> tokens;
        std::int64_t n_tokens = 0;
        std::vector<ToolUse> called;
        ThinkingEndReason thinking_end = ThinkingEndReason::kModel;
    };

    Turn(TurnDeps deps, OwnerId owner, Message answer);

    void begin_round();
    void end_early(MessageState state);
    void start_backend(PromptSource source);
    std::optional<std::int64_t> thinking_budget() const;
    std::int64_t max_tokens() const;
    void on_started();
    void receive(std::vector<TimedEvent> events);
    void close_with(chat_event::End end);
    void pump();
    void show(std::vector<TimedEvent> events);
    void finish(const chat_event::End& end);
    void add_usage(const chat_event::End& end);
    void store_end();
    void publish_end(Result<> stored);

    // turn_resume.cpp
    void resume_text();
    bool retell(const ChatEvent& event);
    void settle_retold();

    // turn_tools.cpp
    void resume_tools();
    /// True when the model's calls are run now: the answer goes on afterwards.
    bool goes_on_with_tools(const chat_event::End& end);
    std::shared_ptr<ToolRound> make_round(std::vector<ToolUse> uses);
    void on_round_changed(const std::vector<ToolUse>& uses);
    void on_round_ended(const Result<>& ended);
    void leave_round(MessageState state);
    ToolUse make_use(const chat_event::ToolCallBegun& event, std::size_t n_before) const;

    void take(const chat_event::Queued& event, SteadyClock::time_point at);
    void take(const chat_event::Prefill& event, SteadyClock::time_point at);
    void take(const chat_event::ThinkingStarted& event, SteadyClock::time_point at);
    void take(const chat_event::ThinkingText& event, SteadyClock::time_point at);
    void take(const chat_event::ThinkingEnded& event, SteadyClock::time_point at);
    void take(const chat_event::Text& event, SteadyClock::time_point at);
    void take(const chat_event::ToolCallBegun& event, SteadyClock::time_point at);
    void take(const chat_event::ToolCallArguments& event, SteadyClock::time_point at);
    void take(const chat_event::ToolCallDone&, SteadyClock::time_point) {}
    void take(const chat_event::Progress& event, SteadyClock::time_point at);
    void take(const chat_event::Resumed& event, SteadyClock::time_point at);
    void take(const chat_event::End& event, SteadyClock::time_point at);

    void enter(TurnPhase phase, SteadyClock::time_point at);
    void saw_token(SteadyClock::time_point at);
    void flush_text();
    void flush_status();

    TurnDeps deps_;
    Message answer_;
    std::shared_ptr<TurnFeed> feed_;
    std::shared_ptr<EventInbox> inbox_;
    std::shared_ptr<StartOutcome> start_outcome_ = std::make_shared<StartOutcome>();
    std::unique_ptr<ChatStream> stream_;
    std::optional<MessageState> early_end_;  // set by stop() and interrupt()
    bool begun_ = false;
    bool cancelled_ = false;
    bool answer_now_ = false;

    std::vector<TimedEvent> pending_;  // arrived, not yet stored
    bool closed_ = false;           // End is in pending_ or was handled: later events don't exist
    bool writing_ = false;          // one write at a time keeps the order
    std::string unsaved_thinking_;  // not in the store yet
    std::string unsaved_text_;
    std::vector<std::int32_t> unsaved_tokens_;
    bool rewrite_ =
        false;  // the next write is of the whole answer: its row is not what it should be
    bool storage_failed_ = false;
    bool thoughts_apart_ = false;  // the next thoughts are another round's: a line goes before them

    struct ReadingBegin {
        SteadyClock::time_point at;
        std::int64_t done = 0;
    };

    PromptSource source_;               // of each round
    std::vector<ToolUse> called_;       // by the model in this round, not yet journalled
    std::shared_ptr<ToolRound> round_;  // while tools run or ask
    std::int64_t n_rounds_ = 0;
    AnswerJournal journal_;         // of this round, as far as it is shown
    std::optional<Retold> retold_;  // while the backend tells again what was written
    std::int64_t n_retold_ = 0;     // tokens of this round that are not this process's

    TurnStatus status_;           // as of the last event; the feed gets it when it is worth showing
    std::string fresh_thinking_;  // of this batch, to be shown as one event
    std::string fresh_text_;
    SteadyClock::time_point started_at_ = SteadyClock::now();
    std::optional<ReadingBegin> reading_;  // of this round
    std::optional<SteadyClock::time_point> first_token_at_;
    std::optional<SteadyClock::time_point> thinking_since_;
    std::optional<SteadyClock::time_point> status_shown_at_;
};

}  // namespace notso::services

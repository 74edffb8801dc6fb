// The one implementation of ChatService: which turns run, which have ended lately, and what still
// waits for the disk. Lives on the io thread. Turns own their answers; this class starts them,
// stops them and forgets them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/chat/background.hpp"
#include "services/chat/chat_service.hpp"
#include "services/chat/compactor.hpp"
#include "services/chat/drafts.hpp"
#include "services/chat/feed_shelf.hpp"
#include "services/chat/grace_timer.hpp"
#include "services/chat/recovery.hpp"
#include "services/chat/send_plan.hpp"
#include "services/chat/store_client.hpp"
#include "services/chat/turn.hpp"

namespace notso::services {

class ChatServiceImpl final : public ChatService {
  public:
    explicit ChatServiceImpl(const ChatServiceDeps& deps);

    void create_conversation(OwnerId owner, Completion<Conversation> done) override;
    void create_temporary(OwnerId owner, Completion<Conversation> done) override;
    void list_conversations(OwnerId owner, Completion<std::vector<Conversation>> done) override;
    void list_archived(OwnerId owner, Completion<std::vector<Conversation>> done) override;
    void open(ConversationKey key, Completion<ConversationView> done) override;
    void all_messages(ConversationKey key, Completion<std::vector<Message>> done) override;
    void rename(ConversationKey key, std::string title, Completion<> done) override;
    void set_thinking(ConversationKey key, bool on, Completion<Conversation> done) override;
    void set_thinking_budget(ConversationKey key,
                             std::optional<std::int64_t> tokens,
                             Completion<Conversation> done) override;
    std::int64_t thinking_budget() const override { return deps_.thinking_budget; }
    void set_settings(ConversationKey key,
                      ChatSettings settings,
                      Completion<Conversation> done) override;
    SettingLimits setting_limits() const override;
    void set_temperature(ConversationKey key, double value, Completion<Conversation> done) override;
    void set_model(ConversationKey key, std::string model, Completion<Conversation> done) override;
    void clear(ConversationKey key, Completion<> done) override;
    void remove(ConversationKey key, Completion<> done) override;
    void restore(ConversationKey key, Completion<Conversation> done) override;
    void erase(ConversationKey key, Completion<> done) override;
    void set_pinned(ConversationKey key, bool on, Completion<Conversation> done) override;
    void set_archived(ConversationKey key, bool on, Completion<Conversation> done) override;
    void search(OwnerId owner, std::string query, Completion<std::vector<SearchHit>> done) override;
    void send(SendRequest request, Completion<SentMessage> done) override;
    void withdraw(ConversationKey key,
                  std::string client_id,
                  Completion<WaitingMessage> done) override;
    void regenerate(RegenerateRequest request, Completion<SentMessage> done) override;
    void continue_answer(ContinueRequest request, Completion<SentMessage> done) override;
    void revise(ReviseRequest request, Completion<Message> done) override;
    void fork(ConversationKey key, MessageId message, Completion<Conversation> done) override;
    void show_version(ConversationKey key, MessageId message, Completion<> done) override;
    void remove_message(ConversationKey key, MessageId message, Completion<> done) override;
    void read_draft(DraftRequest request, Completion<> done) override;
    bool reads_drafts() const override { return deps_.background; }
    void context(ConversationKey key, Completion<ContextLedger> done) override;
    void compact(CompactRequest request, Completion<> done) override;
    void stop(ConversationKey key, Completion<> done) override;
    void answer_now(ConversationKey key, Completion<> done) override;
    void list_tools(OwnerId owner, Completion<std::vector<ToolOffer>> done) override;
    void ask_again(OwnerId owner, std::string tool, Completion<> done) override;
    void decide_tool(ToolVerdict verdict, Completion<> done) override;
    std::shared_ptr<TurnFeed> feed(const ConversationKey& key, const MessageId& answer) override;
    std::shared_ptr<TurnFeed> running(const ConversationKey& key) override;
    void when_settled(ConversationKey key, Completion<> done) override;
    void shut_down(std::int64_t grace_ms, Completion<> done) override;

  private:
    // A turn from the moment its send was accepted until its end is stored.
    struct Slot {
        std::shared_ptr<Turn> turn;
        bool stored = false;     // question and answer are in the store
        std::uint64_t user = 0;  // who asked
        std::string model = {};  // that answers
        bool thinking = false;   // in this answer
        ChatSettings settings = {};
        std::vector<std::move_only_function<void()>> on_end;  // stop(), clear(), remove() wait here
    };

    // A summary that is being made.
    struct Compaction {
        std::shared_ptr<Compactor> compactor;  // null while its conversation is being read
        Completion<> done;                     // empty when nobody waits
    };

    using StoreSend = std::move_only_function<Result<SendPlan>(SessionStore&)>;
    using FindSent = std::move_only_function<Result<std::optional<SendPlan>>(SessionStore&)>;

    // Completions never run inside the call that asks for them.
    template <class T>
    void fail_later(Completion<T> done, Error error) {
        deps_.io.post([done = std::move(done), error = std::move(error)]() mutable {
            done(std::unexpected(std::move(error)));
        });
    }
    /// False while an answer runs; otherwise what was made for the path that is shown is dropped.
    bool may_change_tree(const ConversationKey& key);
    void change(ConversationKey key,
                std::move_only_function<void(Conversation&)> edit,
                Completion<Conversation> done);
    void after_turn(const ConversationKey& key, std::move_only_function<void()> next);
    void forget(const ConversationKey& key);
    void empty_trash(UnixMs until);
    void empty_trash_later(std::int64_t delay_ms);
    void recover();
    void find_lines();
    void go_on(Unfinished unfinished);
    Result<> may_continue(const std::string& model) const;
    void on_cut_found(Unfinished cut, const ContinueRequest& request, Completion<SentMessage> done);
    void resume_when_ready();
    boost::json::array tools_for(const std::string& model) const;
    /// @errors kBusy: the owner has as many running answers as are allowed.
    Result<> may_begin(const OwnerId& owner) const;
    std::shared_ptr<Turn> make_turn(const OwnerId& owner, const Message& answer);
    void send_fitting(SendRequest request, Completion<SentMessage> done);
    bool may_not_fit(const SendRequest& request) const;
    void check_fit(SendRequest request, Completion<SentMessage> done);
    ContextUse use_of(const ConversationView& view, const std::vector<Summary>& summaries) const;
    void begin_compaction(const CompactRequest& request, CompactReach reach, Completion<> done);
    void end_compaction(const ConversationKey& key, Result<> ended);
    void compact_when_full(const ConversationKey& key, const Message& answer, const Slot& slot);
    void begin_turn(const SendRequest& request,
                    const Message& answer,
                    StoreSend store,
                    Completion<SentMessage> done);
    void find_sent(FindSent find, Completion<SentMessage> done);
    void on_stored(SendPlan plan, const SendRequest& request, Completion<SentMessage> done);
    std::shared_ptr<TurnFeed> feed_of(const MessageId& answer) const;
    // waiting_ops.cpp
    /// Whether a message would have to wait for its turn.
    bool is_taken(const ConversationKey& key) const;
    /// Whether messages wait, or are about to.
    bool has_line(const ConversationKey& key) const;
    void note_line(const ConversationKey& key, std::size_t n_waiting);
    void put_in_line(SendRequest request, Completion<SentMessage> done);
    void send_next(const ConversationKey& key);
    void send_waiting(WaitingMessage message);
    void show_line(const ConversationKey& key, std::vector<WaitingMessage> line);
    void release(const ConversationKey& key);
    void on_turn_end(const ConversationKey& key, const Message& answer, bool stored);
    void create(Conversation conversation, Completion<Conversation> done);
    void save_leftovers(const ConversationKey& key);
    void overlay(Message& message) const;

    ChatServiceDeps deps_;
    StoreClient store_;
    std::map<ConversationKey, Slot> slots_;
    std::map<ConversationKey, std::size_t> n_waiting_;  // those on their way too
    std::set<ConversationKey> next_;  // conversations whose next message is being looked for
    FeedShelf ended_;
    std::map<std::string, Message> unsaved_;  // by message: ends that the store refused
    bool closing_ = false;
    std::vector<Completion<>> closed_;
    std::unique_ptr<GraceTimer> grace_;
    std::vector<std::pair<std::shared_ptr<Turn>, PromptSource>> waiting_;  // for the model
    std::set<ConversationKey> lines_;  // conversations whose line waits for the model
    std::unique_ptr<GraceTimer> recovery_timer_;
    std::unique_ptr<GraceTimer> trash_timer_;  // set while the trash is being watched or emptied
    Background background_;
    Drafts drafts_;
    std::map<ConversationKey, Compaction> compactions_;
    std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);  // last: dies first
};

}  // namespace notso::services

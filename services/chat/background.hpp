// Background: what is done for a conversation once an answer has ended, while nobody waits: reading
// ahead for the next message, a title, suggestions. At lowest priority, at most 10 s, and given up
// the moment that somebody uses the conversation. Lives on the io thread.
//
// Titles and suggestions are forks: the conversation and one more instruction, so that the engine
// finds all but the instruction in its cache.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/chat/grace_timer.hpp"
#include "services/chat/side_request.hpp"
#include "services/chat/store_client.hpp"

namespace notso::services {

struct BackgroundDeps {
    ChatBackend& backend;
    Executor& io;
    Executor& compute;
    StoreClient store;
    std::chrono::milliseconds limit{10'000};  ///< For all that follows one answer.
    /// Tools that requests to a model offer: they stand in the prompt that is read ahead, too.
    std::function<boost::json::array(const std::string& model)> tools = {};
};

class Background {
  public:
    static constexpr std::size_t kMaxJobs = 8;             ///< Answers beyond that get nothing.
    static constexpr std::size_t kMaxSuggestions = 1'000;  ///< Conversations; the oldest go first.

    explicit Background(BackgroundDeps deps) : deps_(std::move(deps)) {}

    /// Begins the work that follows an answer, which is stored.
    /// @param user  Whose answer it is (ChatRequest::user).
    void begin(const ConversationKey& key, const MessageId& answer, std::uint64_t user);
    /// Ends what runs for a conversation, and forgets its suggestions.
    void abandon(const ConversationKey& key);
    /// Ends everything; begin() does nothing from now on.
    void stop();

    bool runs(const ConversationKey& key) const { return jobs_.contains(key); }
    /// What the person could ask next, for the last answer of a conversation.
    std::vector<std::string> follow_ups(const ConversationKey& key) const;
    /// Runs `done` when nothing runs for that conversation: at once, or when its work has ended.
    void when_settled(const ConversationKey& key, std::move_only_function<void()> done);

  private:
    enum class Step { kReadAhead, kTitle, kFollowUps, kEnd };

    struct Job {
        MessageId answer;
        PromptSource source;
        Step next = Step::kReadAhead;
        std::shared_ptr<SideRequest> request;
        std::unique_ptr<GraceTimer> deadline;
        std::vector<std::move_only_function<void()>> waiting;
    };
    struct Suggestions {
        ConversationKey conversation;
        std::vector<std::string> questions;
    };

    Job* find(const ConversationKey& key, const MessageId& answer);
    void on_loaded(const ConversationKey& key,
                   const MessageId& answer,
                   Result<PromptSource> source);
    void advance(const ConversationKey& key);
    bool begin_step(const ConversationKey& key, Job& job, Step step);
    void ask(const ConversationKey& key, Job& job, Step step);
    void on_text(const ConversationKey& key, Step step, const SideText& written);
    void keep_title(const ConversationKey& key, std::string title);
    void keep_follow_ups(const ConversationKey& key, std::vector<std::string> questions);
    void end(const ConversationKey& key);

    BackgroundDeps deps_;
    std::map<ConversationKey, Job> jobs_;
    std::deque<Suggestions> suggestions_;  // oldest first
    bool stopped_ = false;
    std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);  // last: dies first
};

}  // namespace notso::services

// SideRequest: one request of background work, from its prompt to the text that came. Nobody
// follows it. Lives on the io thread; fitting and templating run on `compute`. Destroying it
// cancels it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/executor.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/chat/context_window.hpp"
#include "services/chat/event_inbox.hpp"

namespace notso::services {

/// How a side request differs from a message of the conversation.
struct SideOptions {
    std::int64_t max_tokens = 0;
    bool read_only = false;  ///< ChatRequest::read_only
    std::vector<std::string> stop = {};
    AnswerForm form = {};
    ChatPriority priority = ChatPriority::kBackground;
};

struct SideDeps {
    ChatBackend& backend;
    Executor& io;
    Executor& compute;
};

struct SideText {
    std::string text = {};
    bool whole = false;   ///< The model ended it by itself.
    bool failed = false;  ///< Refused, cancelled or broken off; then there is no text.
};

class SideRequest : public std::enable_shared_from_this<SideRequest> {
  public:
    using Done = std::move_only_function<void(SideText)>;

    /// @param done  Runs on io, once; not at all when the request is destroyed before.
    static std::shared_ptr<SideRequest> create(const SideDeps& deps, Done done);
    /// @param source  Its sampling becomes the model's own.
    void begin(PromptSource source, SideOptions options);

  private:
    // Held here and by the compute task, never by a task that waits on io: see Turn.
    struct StartOutcome {
        Result<std::unique_ptr<ChatStream>> stream;
    };

    SideRequest(const SideDeps& deps, Done done) : deps_(deps), done_(std::move(done)) {}

    void on_started();
    void receive(std::vector<TimedEvent> events);
    void end(SideText text);

    SideDeps deps_;
    Done done_;  // empty once it ran
    std::shared_ptr<EventInbox> inbox_;
    std::shared_ptr<StartOutcome> start_outcome_ = std::make_shared<StartOutcome>();
    std::unique_ptr<ChatStream> stream_;
    std::string text_;
};

}  // namespace notso::services

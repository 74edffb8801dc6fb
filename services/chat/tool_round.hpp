// ToolRound: the calls of tools that one step of an answer made, from the journal to their results.
// Each is written down before it runs and again when it has ended, so that a server that dies in
// between never runs one twice. Lives on the io thread; tools run on the threads of their box.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "services/chat/store_client.hpp"
#include "services/session/session_store.hpp"
#include "services/tools/tool_box.hpp"

namespace notso::services {

inline constexpr std::size_t kMaxToolCalls = 8;  ///< Of one answer.

/// What a person says to a call that asks.
enum class ToolDecision { kAllowOnce, kAllowAlways, kDeny };

/// What calls of tools need around them.
struct ToolDesk {
    ToolBox* box = nullptr;  ///< Null: no tools are offered.
    std::string time_zone = "UTC";
};

class ToolRound : public std::enable_shared_from_this<ToolRound> {
  public:
    struct Deps {
        ToolDesk desk;
        Executor& io;
        StoreClient store;
        ConversationKey conversation;
        MessageId answer;
        /// A state or an output changed. On io.
        std::function<void(const std::vector<ToolUse>&)> on_change;
        /// Every call has its output. On io, once. The error is the store's: nothing ran then.
        std::function<void(Result<>)> on_end;
    };

    static std::shared_ptr<ToolRound> create(Deps deps, std::vector<ToolUse> uses);

    ~ToolRound() { stop_.request_stop(); }

    /// Writes the calls down, then runs those that may run.
    void begin();
    /// Goes on after a restart: what is written down is there already. What ran then is answered
    /// with not being known.
    void resume();
    /// @errors kNotFound: no call with this id asks. `done` after it is written down.
    void decide(const std::string& id,
                ToolDecision decision,
                std::move_only_function<void(Result<>)> done);
    /// Nobody wants the results any more: what has not ended becomes kInterrupted; on_end follows
    /// no more.
    std::vector<ToolUse> stop();

    bool asks() const;
    const std::vector<ToolUse>& uses() const { return uses_; }

  private:
    ToolRound(Deps deps, std::vector<ToolUse> uses)
        : deps_(std::move(deps)), uses_(std::move(uses)) {}

    void run(ToolUse& use);
    void take(const std::string& id, ToolOutput output);
    void settle(ToolUse& use, ToolUseState state, std::string output);
    void changed();
    ToolUse* find(const std::string& id);

    Deps deps_;
    std::vector<ToolUse> uses_;
    std::stop_source stop_;
    bool ended_ = false;
};

}  // namespace notso::services

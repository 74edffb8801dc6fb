// MeteredBackend: passes everything on to another backend and counts what goes by, whatever that
// backend is. It sees lengths and times, never keeps texts.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "base/histogram.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

/// As metrics name them, by ChatPriority and ChatFinish.
inline constexpr std::array<std::string_view, 3> kPriorityNames = {
    "interactive", "api", "background"};
inline constexpr std::array<std::string_view, 5> kFinishNames = {
    "stop", "length", "cancelled", "error", "tool_calls"};

/// Sums since the start, for one priority. Tokens of a prompt count when its answer has ended.
struct RequestCounts {
    std::array<std::uint64_t, kFinishNames.size()> ended = {};  ///< By ChatFinish.
    std::map<ErrorCode, std::uint64_t> refused = {};            ///< Never begun, and why.
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t generated_tokens = 0;
    std::uint64_t draft_tokens = 0;
    std::uint64_t accepted_tokens = 0;
};

struct BackendMetrics {
    std::array<RequestCounts, kPriorityNames.size()> counts = {};  ///< By ChatPriority.
    // In seconds; background work, for which nobody waits, is not in them.
    Histogram first_token{{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120}};
    Histogram inter_token{{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}};
    Histogram queue{{0.001, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120}};
};

/// Thread-safe.
class MeteredBackend final : public ChatBackend {
  public:
    explicit MeteredBackend(std::unique_ptr<ChatBackend> inner) : inner_(std::move(inner)) {}

    Result<std::unique_ptr<ChatStream>> start(const ChatRequest& request,
                                              ChatEventHandler handler) override;
    /// Whether start() has a chance now. Takes no time, so that who is refused hears it at once.
    /// @errors kOverloaded when the queue is full for everybody; counted as refused.
    Result<> admit(ChatPriority priority);
    Result<std::int64_t> count_tokens(const ChatRequest& request) override {
        return inner_->count_tokens(request);
    }
    ModelInfo info() const override { return inner_->info(); }
    /// The inner backend's, with wait_ms from how long answers took lately.
    Health health() const override;

    std::vector<ModelEntry> models() const override { return inner_->models(); }
    Result<ModelInfo> find_model(const std::string& name) const override {
        return inner_->find_model(name);
    }
    void refresh() override { inner_->refresh(); }

    BackendMetrics metrics() const;

  private:
    /// One request under way. Only its handler touches it.
    struct Call {
        ChatPriority priority = ChatPriority::kInteractive;
        SteadyClock::time_point started = SteadyClock::now();
        std::optional<SteadyClock::time_point> running_since = {};
        std::optional<SteadyClock::time_point> last_token = {};
        std::int64_t tokens = 0;
        bool repeats = false;  // what was written before; it counts no more
    };

    void count_refused(ChatPriority priority, ErrorCode code);
    void see(Call& call, const ChatEvent& event);
    void see_token(Call& call, const chat_event::Progress& progress);
    void see_end(const Call& call, const chat_event::End& end);

    mutable std::mutex mutex_;
    BackendMetrics metrics_;
    double answer_ms_ = 0;  // running mean of answers that people or programs waited for; 0 = none
    std::unique_ptr<ChatBackend> inner_;  // last: its end delivers the last events
};

}  // namespace notso::services

#include "services/backend/metered.hpp"

#include <algorithm>
#include <utility>

namespace notso::services {
namespace {

// Weight of the newest answer in the running mean: about the last ten count.
constexpr double kNewest = 0.2;

double seconds_between(SteadyClock::time_point from, SteadyClock::time_point to) {
    return ms_between(from, to) / 1000;
}

std::uint64_t to_count(std::int64_t value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

}  // namespace

Result<std::unique_ptr<ChatStream>> MeteredBackend::start(const ChatRequest& request,
                                                          ChatEventHandler handler) {
    auto started = inner_->start(
        request,
        [this,
         call = Call{.priority = request.priority, .repeats = request.written.has_value()},
         to = std::move(handler)](ChatEvent event) mutable {
            see(call, event);
            to(std::move(event));
        });
    if (!started) count_refused(request.priority, started.error().code);
    return started;
}

Result<> MeteredBackend::admit(ChatPriority priority) {
    const Health now = inner_->health();
    if (!now.full) return {};
    count_refused(priority, ErrorCode::kOverloaded);
    return fail(ErrorCode::kOverloaded,
                "{} requests are waiting, try again later",
                std::max(now.waiting, now.running));
}

void MeteredBackend::count_refused(ChatPriority priority, ErrorCode code) {
    const std::lock_guard lock(mutex_);
    ++metrics_.counts[static_cast<std::size_t>(priority)].refused[code];
}

Health MeteredBackend::health() const {
    Health health = inner_->health();
    if (health.running + health.waiting == 0) return health;
    const std::lock_guard lock(mutex_);
    health.wait_ms = answer_ms_ * static_cast<double>(health.waiting + 1) /
                     static_cast<double>(std::max<std::int64_t>(health.running, 1));
    return health;
}

BackendMetrics MeteredBackend::metrics() const {
    const std::lock_guard lock(mutex_);
    return metrics_;
}

void MeteredBackend::see(Call& call, const ChatEvent& event) {
    if (std::holds_alternative<chat_event::Prefill>(event)) {
        if (call.running_since) return;
        call.running_since = SteadyClock::now();
        if (call.priority == ChatPriority::kBackground) return;
        const std::lock_guard lock(mutex_);
        metrics_.queue.add(seconds_between(call.started, *call.running_since));
    } else if (const auto* progress = std::get_if<chat_event::Progress>(&event)) {
        see_token(call, *progress);
    } else if (std::holds_alternative<chat_event::Resumed>(event)) {
        call.repeats = false;
    } else if (const auto* end = std::get_if<chat_event::End>(&event)) {
        see_end(call, *end);
    }
}

void MeteredBackend::see_token(Call& call, const chat_event::Progress& progress) {
    const std::int64_t tokens = progress.completion_tokens;
    if (call.repeats) {
        call.tokens = tokens;
        return;
    }
    const auto now = SteadyClock::now();
    const auto last = std::exchange(call.last_token, now);
    const std::int64_t fresh = tokens - std::exchange(call.tokens, tokens);
    const std::lock_guard lock(mutex_);
    metrics_.counts[static_cast<std::size_t>(call.priority)].generated_tokens += to_count(fresh);
    if (call.priority == ChatPriority::kBackground) return;
    if (last) {
        metrics_.inter_token.add(seconds_between(*last, now));
    } else {
        metrics_.first_token.add(seconds_between(call.started, now));
    }
}

void MeteredBackend::see_end(const Call& call, const chat_event::End& end) {
    const std::lock_guard lock(mutex_);
    RequestCounts& counts = metrics_.counts[static_cast<std::size_t>(call.priority)];
    ++counts.ended[static_cast<std::size_t>(end.finish)];
    counts.prompt_tokens += to_count(end.usage.prompt_tokens);
    counts.cached_tokens += to_count(end.usage.cached_tokens);
    counts.generated_tokens += to_count(end.usage.completion_tokens - call.tokens);
    counts.draft_tokens += to_count(end.usage.draft_tokens);
    counts.accepted_tokens += to_count(end.usage.accepted_tokens);
    if (call.priority == ChatPriority::kBackground || end.finish == ChatFinish::kError) return;
    const double took = ms_between(call.running_since.value_or(call.started), SteadyClock::now());
    answer_ms_ = answer_ms_ == 0 ? took : (1 - kNewest) * answer_ms_ + kNewest * took;
}

}  // namespace notso::services

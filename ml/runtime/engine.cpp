// The engine thread, the line of those who wait, and the end of both. What runs is the batch's
// business. Sinks are never called with the lock held.
#include "ml/runtime/engine.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/batch.hpp"
#include "ml/runtime/waiting_line.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kMaxTopLogprobs = 20;
constexpr std::chrono::milliseconds kCountEvery{100};
constexpr double kServiceWeight = 0.2;  // of one request in the mean time that requests take

class EngineImpl final : public Engine {
  public:
    /// start() follows.
    EngineImpl(std::shared_ptr<const Model> model, const EngineOptions& options)
        : model_(std::move(model)), options_(options), line_(options.max_queue) {}
    ~EngineImpl() override;

    Result<> start();
    Result<RequestId> submit(GenerationRequest request, std::unique_ptr<TokenSink> sink) override;
    void cancel(RequestId id) override;
    EngineStats stats() const override;
    std::int32_t context_length() const override { return batch_->context_length(); }
    const Model& model() const override { return *model_; }

  private:
    Result<> check(const GenerationRequest& request) const;
    void run();
    bool wait_for_work();
    void admit();
    bool look_after_line();
    void end_waiting(const std::vector<JobPtr>& cancelled);
    void announce(const std::vector<JobPtr>& waiting);
    std::chrono::milliseconds wait_of(std::int32_t position) const;
    void count_ended(const JobPtr& job);
    void count_memory();
    void forget(const Job& job);

    const std::shared_ptr<const Model> model_;
    const EngineOptions options_;
    std::unique_ptr<Batch> batch_;  // engine thread only
    SteadyClock::time_point counted_{};
    double service_seconds_ = 0;  // that a request takes, 0 = unknown; engine thread only

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    WaitingLine line_;
    std::unordered_map<RequestId, JobPtr> open_;  // all that have not ended
    bool line_changed_ = false;
    std::uint64_t last_id_ = 0;
    EngineStats totals_;  // its running and waiting fields are filled in by stats()
    bool closing_ = false;

    std::thread thread_;
};

EngineImpl::~EngineImpl() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        for (const auto& [id, job] : open_) job->cancelled = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Result<> EngineImpl::start() {
    BatchEvents events{.on_ended = [this](const JobPtr& job) { count_ended(job); },
                       .on_preempted =
                           [this](const JobPtr& job) {
                               const std::lock_guard lock(mutex_);
                               ++totals_.preemptions;
                               line_.put_back(job);
                           },
                       .on_pause = [this] { return look_after_line(); },
                       .on_token =
                           [this](const Job&) {
                               const std::lock_guard lock(mutex_);
                               ++totals_.generated_tokens;
                           }};
    NOTSO_TRY(batch_, Batch::create(*model_, options_, std::move(events)));
    totals_.kv_budget_bytes = batch_->budget_bytes();
    thread_ = std::thread([this] { run(); });
    return {};
}

Result<> EngineImpl::check(const GenerationRequest& request) const {
    NOTSO_CHECK(validate(request.sampling));
    const std::int32_t n_vocab = model_->config().n_vocab;
    const auto known = [n_vocab](TokenId id) { return to_int(id) >= 0 && to_int(id) < n_vocab; };
    if (request.prompt.empty()) return fail(ErrorCode::kInvalidArgument, "the prompt is empty");
    const std::size_t n_given = request.prompt.size() + request.written.size();
    if (std::cmp_greater_equal(n_given, context_length())) {
        return fail(ErrorCode::kContextLength,
                    "the prompt has {} tokens, the context holds {} and needs room for an answer",
                    n_given,
                    context_length());
    }
    for (const auto* ids : {&request.prompt, &request.written}) {
        const auto unknown = std::ranges::find_if_not(*ids, known);
        if (unknown != ids->end()) {
            return fail(ErrorCode::kInvalidArgument,
                        "token {} is not below the {} of the model",
                        to_int(*unknown),
                        n_vocab);
        }
    }
    for (const auto& [id, bias] : request.sampling.logit_bias) {
        if (!known(id)) {
            return fail(ErrorCode::kInvalidArgument,
                        "logit_bias: token {} is not below the {} of the model",
                        to_int(id),
                        n_vocab);
        }
    }
    if (request.max_tokens < 0) {
        return fail(ErrorCode::kInvalidArgument, "max_tokens: {} is negative", request.max_tokens);
    }
    if (request.max_tokens > 0 &&
        std::cmp_greater_equal(request.written.size(), request.max_tokens)) {
        return fail(ErrorCode::kInvalidArgument,
                    "max_tokens: all {} were written before",
                    request.max_tokens);
    }
    if (request.n_top_logprobs < 0 || request.n_top_logprobs > kMaxTopLogprobs) {
        return fail(ErrorCode::kInvalidArgument,
                    "top_logprobs: {} is not in [0, {}]",
                    request.n_top_logprobs,
                    kMaxTopLogprobs);
    }
    return {};
}

Result<RequestId> EngineImpl::submit(GenerationRequest request, std::unique_ptr<TokenSink> sink) {
    NOTSO_CHECK(check(request));
    const auto job = std::make_shared<Job>(std::move(request), std::move(sink));
    {
        const std::lock_guard lock(mutex_);
        NOTSO_CHECK(line_.push(job));
        job->id = RequestId{++last_id_};
        open_.emplace(job->id, job);
        line_changed_ = true;
    }
    changed_.notify_one();
    return job->id;
}

void EngineImpl::cancel(RequestId id) {
    const std::lock_guard lock(mutex_);
    const auto job = open_.find(id);
    if (job == open_.end()) return;
    job->second->cancelled = true;
    line_changed_ = true;
    changed_.notify_one();
}

EngineStats EngineImpl::stats() const {
    const std::lock_guard lock(mutex_);
    EngineStats now = totals_;
    now.waiting = line_.size();
    now.running = static_cast<std::int32_t>(open_.size()) - now.waiting;
    return now;
}

void EngineImpl::run() {
    pthread_setname_np(pthread_self(), "engine");
    while (wait_for_work()) {
        look_after_line();
        try {
            admit();
            batch_->step();
        } catch (const std::bad_alloc&) {
            batch_->end_all(FinishReason::kError,
                            Error{ErrorCode::kOutOfMemory, "not enough memory to go on"});
        } catch (const std::exception& caught) {
            batch_->end_all(
                FinishReason::kError,
                Error{ErrorCode::kInternal, fmt::format("the engine failed: {}", caught.what())});
        }
        count_memory();
    }
}

/// False when the engine closes and nobody is left.
bool EngineImpl::wait_for_work() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closing_ || !line_.empty() || !batch_->empty(); });
    return !closing_ || !line_.empty() || !batch_->empty();
}

/// Lets those run for whom there is a place and memory; who is next is not overtaken for lack of
/// memory.
void EngineImpl::admit() {
    for (;;) {
        JobPtr job;
        {
            const std::lock_guard lock(mutex_);
            job = line_.next([this](const Job& one) { return batch_->has_place(one); });
            if (job == nullptr) return;
        }
        if (!batch_->admit(job)) return;
        const std::lock_guard lock(mutex_);
        line_.take(job);
        line_changed_ = true;
        if (job->was_preempted) continue;
        totals_.prompt_tokens += static_cast<std::uint64_t>(job->stats.prompt_tokens);
    }
}

/// Ends those in the line that were cancelled and tells the others their places. True when a
/// request waits that background work must not delay.
bool EngineImpl::look_after_line() {
    std::vector<JobPtr> cancelled;
    std::vector<JobPtr> waiting;
    bool foreground = false;
    {
        const std::lock_guard lock(mutex_);
        if (line_changed_) {
            line_changed_ = false;
            cancelled = line_.remove_if([](const Job& job) { return job.cancelled.load(); });
            waiting = line_.in_order();
        }
        foreground = line_.has_foreground();
    }
    end_waiting(cancelled);
    announce(waiting);
    return foreground;
}

void EngineImpl::end_waiting(const std::vector<JobPtr>& cancelled) {
    for (const JobPtr& job : cancelled) {
        job->stats.queued = SteadyClock::now() - job->accepted;
        const std::unique_ptr<TokenSink> sink = std::move(job->sink);
        forget(*job);
        sink->on_end({.reason = FinishReason::kCancelled, .error = {}, .stats = job->stats});
    }
}

void EngineImpl::announce(const std::vector<JobPtr>& waiting) {
    for (std::int32_t i = 0; i < std::ssize(waiting); ++i) {
        Job& job = *waiting[static_cast<std::size_t>(i)];
        if (job.announced_position == i || job.was_preempted) continue;
        job.announced_position = i;
        job.sink->on_queued(i, wait_of(i));
    }
}

/// Places become free one after another, as many at a time as there are.
std::chrono::milliseconds EngineImpl::wait_of(std::int32_t position) const {
    const double turns = static_cast<double>(position + 1) / options_.max_running;
    return std::chrono::milliseconds(static_cast<std::int64_t>(service_seconds_ * turns * 1e3));
}

void EngineImpl::count_ended(const JobPtr& job) {
    if (!job->is_background()) {
        const std::chrono::duration<double> taken = SteadyClock::now() - job->admitted;
        const double weight = service_seconds_ == 0 ? 1 : kServiceWeight;
        service_seconds_ += weight * (taken.count() - service_seconds_);
    }
    const std::lock_guard lock(mutex_);
    totals_.cached_tokens += static_cast<std::uint64_t>(job->stats.cached_tokens);
    totals_.draft_tokens += static_cast<std::uint64_t>(job->stats.draft_tokens);
    totals_.accepted_tokens += static_cast<std::uint64_t>(job->stats.accepted_tokens);
    open_.erase(job->id);
    line_changed_ = true;
}

/// Not after every token: it looks at every page.
void EngineImpl::count_memory() {
    const SteadyClock::time_point now = SteadyClock::now();
    if (!batch_->empty() && now - counted_ < kCountEvery) return;
    counted_ = now;
    const std::uint64_t used = batch_->used_bytes();
    const std::uint64_t held = batch_->held_bytes();
    const std::lock_guard lock(mutex_);
    totals_.kv_bytes = used;
    totals_.kv_held_bytes = held;
}

void EngineImpl::forget(const Job& job) {
    const std::lock_guard lock(mutex_);
    open_.erase(job.id);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(std::shared_ptr<const Model> model,
                                               const EngineOptions& options) {
    if (options.max_queue < 0 || options.prefill_chunk < 1 || options.max_running < 1 ||
        options.max_draft < 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "max_queue {} and max_draft {} must not be negative, prefill_chunk {} and "
                    "max_running {} must be positive",
                    options.max_queue,
                    options.max_draft,
                    options.prefill_chunk,
                    options.max_running);
    }
    auto engine = std::make_unique<EngineImpl>(std::move(model), options);
    NOTSO_CHECK(engine->start());
    return engine;
}

}  // namespace notso::ml

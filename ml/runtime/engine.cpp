// The engine thread: takes requests in order, reads the prompt in chunks, then decodes token by
// token. Between any two steps it looks after cancelled and waiting requests, so that nobody waits
// longer than one step for an answer.
#include "ml/runtime/engine.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/engine_sequence.hpp"
#include "ml/runtime/kv_cache.hpp"
#include "ml/sampling/logprobs.hpp"
#include "ml/sampling/sampler.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kMaxTopLogprobs = 20;

// A prompt is read in chunks of about this long, so that a cancel is heeded in time on any machine.
constexpr std::chrono::duration<double> kChunkTime{0.12};
constexpr std::int32_t kFirstChunk = 16;  // tokens, while the machine's speed is not known yet
constexpr std::int32_t kLeastChunk = 8;

/// A request on its way. Except for `cancelled`, only the engine thread touches it once it is
/// queued.
struct Job {
    RequestId id;
    GenerationRequest request;
    std::unique_ptr<TokenSink> sink;
    std::atomic<bool> cancelled = false;
    std::int32_t announced_position = -1;
    SteadyClock::time_point accepted = SteadyClock::now();
    GenerationStats stats = {};
};
using JobPtr = std::shared_ptr<Job>;

/// Why the loop over the tokens ended.
using Outcome = Result<FinishReason>;

class EngineImpl final : public Engine {
  public:
    EngineImpl(std::shared_ptr<const Model> model,
               std::unique_ptr<KvCache> cache,
               const EngineOptions& options)
        : model_(std::move(model)),
          options_(options),
          context_length_(cache->capacity()),
          sequence_(*model_, std::move(cache)),
          thread_([this] { run(); }) {}

    ~EngineImpl() override {
        {
            const std::lock_guard lock(mutex_);
            closing_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    Result<RequestId> submit(GenerationRequest request, std::unique_ptr<TokenSink> sink) override;
    void cancel(RequestId id) override;
    EngineStats stats() const override;
    std::int32_t context_length() const override { return context_length_; }
    const Model& model() const override { return *model_; }

  private:
    Result<> check(const GenerationRequest& request) const;
    void run();
    JobPtr next_job();
    void look_after_queue();
    std::vector<JobPtr> take_cancelled();
    void run_job(Job& job);
    Outcome generate(Job& job);
    Result<bool> read_prompt(Job& job);
    Result<> read_chunk(std::span<const TokenId> tokens, bool is_last, Precision precision);
    std::int32_t chunk_size() const;
    Outcome decode(Job& job);
    SinkVerdict deliver(Job& job, TokenId id);
    bool is_cancelled(const Job& job) const { return job.cancelled || closing_; }
    void count_prompt(const Job& job);
    void end(Job& job, FinishReason reason, std::optional<Error> error = {});

    const std::shared_ptr<const Model> model_;
    const EngineOptions options_;
    const std::int32_t context_length_;
    Sequence sequence_;  // engine thread only
    double prefill_rate_ =
        0;  // tokens per second of the last chunk, 0 = unknown; engine thread only

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<JobPtr> waiting_;
    JobPtr current_;
    std::uint64_t last_id_ = 0;
    EngineStats totals_;  // its running and waiting fields are filled in by stats()
    std::atomic<bool> closing_ = false;

    std::thread thread_;  // last: starts when everything else stands
};

Result<> EngineImpl::check(const GenerationRequest& request) const {
    NOTSO_CHECK(validate(request.sampling));
    const std::int32_t n_vocab = model_->config().n_vocab;
    const auto known = [n_vocab](TokenId id) { return to_int(id) >= 0 && to_int(id) < n_vocab; };
    if (request.prompt.empty()) return fail(ErrorCode::kInvalidArgument, "the prompt is empty");
    if (std::ssize(request.prompt) >= context_length_) {
        return fail(ErrorCode::kContextLength,
                    "the prompt has {} tokens, the context holds {} and needs room for an answer",
                    request.prompt.size(),
                    context_length_);
    }
    for (const TokenId id : request.prompt) {
        if (!known(id)) {
            return fail(ErrorCode::kInvalidArgument,
                        "token {} is not below the {} of the model",
                        to_int(id),
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
    auto job = std::make_shared<Job>();
    job->stats.prompt_tokens = static_cast<std::int32_t>(request.prompt.size());
    job->request = std::move(request);
    {
        const std::lock_guard lock(mutex_);
        if (std::ssize(waiting_) >= options_.max_queue) {
            return fail(ErrorCode::kOverloaded,
                        "{} requests are waiting, try again later",
                        waiting_.size());
        }
        job->id = RequestId{++last_id_};
        job->sink = std::move(sink);
        waiting_.push_back(job);
    }
    changed_.notify_one();
    return job->id;
}

void EngineImpl::cancel(RequestId id) {
    const std::lock_guard lock(mutex_);
    if (current_ && current_->id == id) current_->cancelled = true;
    for (const JobPtr& job : waiting_) {
        if (job->id == id) job->cancelled = true;
    }
}

EngineStats EngineImpl::stats() const {
    const std::lock_guard lock(mutex_);
    EngineStats now = totals_;
    now.running = current_ ? 1 : 0;
    now.waiting = static_cast<std::int32_t>(waiting_.size());
    return now;
}

void EngineImpl::run() {
    pthread_setname_np(pthread_self(), "engine");
    while (const JobPtr job = next_job()) {
        run_job(*job);
        const std::lock_guard lock(mutex_);
        current_ = nullptr;
    }
}

/// Waits for the next request; null when the engine closes and nobody is left.
JobPtr EngineImpl::next_job() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
        }
        look_after_queue();  // announces positions; when closing, ends everyone
        const std::lock_guard lock(mutex_);
        if (waiting_.empty()) {
            if (closing_) return nullptr;
            continue;
        }
        current_ = std::move(waiting_.front());
        waiting_.pop_front();
        return current_;
    }
}

/// Ends cancelled requests that still wait, and tells the others how many are before them. Sinks
/// run unlocked.
void EngineImpl::look_after_queue() {
    const std::vector<JobPtr> cancelled = take_cancelled();
    for (const JobPtr& job : cancelled) end(*job, FinishReason::kCancelled);
    std::vector<JobPtr> waiting;
    {
        const std::lock_guard lock(mutex_);
        waiting.assign(waiting_.begin(), waiting_.end());
    }
    for (std::int32_t i = 0; i < std::ssize(waiting); ++i) {
        Job& job = *waiting[static_cast<std::size_t>(i)];
        if (job.announced_position == i) continue;
        job.announced_position = i;
        job.sink->on_queued(i);
    }
}

std::vector<JobPtr> EngineImpl::take_cancelled() {
    const std::lock_guard lock(mutex_);
    const auto kept =
        std::stable_partition(waiting_.begin(), waiting_.end(), [this](const JobPtr& job) {
            return !is_cancelled(*job);
        });
    std::vector<JobPtr> taken(kept, waiting_.end());
    waiting_.erase(kept, waiting_.end());
    return taken;
}

/// The seam where exceptions of libraries (out of memory above all) become the end of one request.
void EngineImpl::run_job(Job& job) {
    job.stats.queued = SteadyClock::now() - job.accepted;
    std::optional<Error> error;
    try {
        const Outcome outcome = generate(job);
        if (outcome) return end(job, *outcome);
        error = outcome.error();
    } catch (const std::bad_alloc&) {
        error = Error{ErrorCode::kOutOfMemory, "not enough memory to go on with this answer"};
        sequence_.clear();
    } catch (const std::exception& caught) {
        error = Error{ErrorCode::kInternal, fmt::format("the engine failed: {}", caught.what())};
        sequence_.clear();
    }
    log::error(
        "engine request={} failed error={}", std::to_underlying(job.id), log::field(error->detail));
    end(job, FinishReason::kError, std::move(error));
}

Outcome EngineImpl::generate(Job& job) {
    const auto begin = SteadyClock::now();
    const auto prompt_read = read_prompt(job);
    const auto middle = SteadyClock::now();
    job.stats.prefill = middle - begin;
    count_prompt(job);
    if (!prompt_read) return std::unexpected(prompt_read.error());
    if (!*prompt_read) return FinishReason::kCancelled;
    const Outcome outcome = decode(job);
    job.stats.decode = SteadyClock::now() - middle;
    return outcome;
}

/// False when it was cancelled on the way.
Result<bool> EngineImpl::read_prompt(Job& job) {
    const std::span<const TokenId> prompt = job.request.prompt;
    const auto total = static_cast<std::int32_t>(prompt.size());
    std::int32_t done = sequence_.reuse(prompt);
    job.stats.cached_tokens = done;
    job.sink->on_prefill(done, total);
    while (done < total) {
        if (is_cancelled(job)) return false;
        const std::int32_t first_fast = std::min(job.request.n_exact, total);
        const std::int32_t last_fast = std::max(total - options_.exact_tail, first_fast);
        const bool is_fast = done >= first_fast && done < last_fast;
        const std::int32_t end = done < first_fast ? first_fast : is_fast ? last_fast : total;
        const std::int32_t n = std::min(chunk_size(), end - done);
        const auto chunk =
            prompt.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(n));
        NOTSO_CHECK(read_chunk(
            chunk, done + n == total, is_fast ? options_.prompt_precision : Precision::kExact));
        done += n;
        job.sink->on_prefill(done, total);
        look_after_queue();
    }
    return true;
}

Result<> EngineImpl::read_chunk(std::span<const TokenId> tokens,
                                bool is_last,
                                Precision precision) {
    const auto begin = SteadyClock::now();
    NOTSO_CHECK(sequence_.read(tokens, is_last, precision));
    const std::chrono::duration<double> taken = SteadyClock::now() - begin;
    // A short rest of a prompt says little about the speed of a full chunk.
    const bool telling = std::ssize(tokens) >= std::min(kLeastChunk, options_.prefill_chunk);
    if (telling) prefill_rate_ = static_cast<double>(tokens.size()) / std::max(taken.count(), 1e-6);
    return {};
}

/// Tokens of the next chunk. The result does not depend on it: the forward pass gives the same bits
/// for any cut.
std::int32_t EngineImpl::chunk_size() const {
    const std::int32_t most = options_.prefill_chunk;
    if (prefill_rate_ == 0) return std::min(kFirstChunk, most);
    const double fits = std::min(prefill_rate_ * kChunkTime.count(), static_cast<double>(most));
    return std::clamp(static_cast<std::int32_t>(fits), std::min(kLeastChunk, most), most);
}

Outcome EngineImpl::decode(Job& job) {
    const GenerationRequest& request = job.request;
    const std::int32_t room = context_length_ - job.stats.prompt_tokens;
    const std::int32_t limit = request.max_tokens > 0 ? std::min(request.max_tokens, room) : room;
    Sampler sampler(request.sampling);
    for (;;) {
        if (is_cancelled(job)) return FinishReason::kCancelled;
        NOTSO_TRY(const TokenId id, sampler.sample(sequence_.logits()));
        if (std::ranges::find(request.end_tokens, id) != request.end_tokens.end())
            return FinishReason::kStop;
        sampler.accept(id);
        if (deliver(job, id) == SinkVerdict::kStop) return FinishReason::kStop;
        if (job.stats.generated_tokens >= limit) return FinishReason::kLength;
        look_after_queue();
        if (is_cancelled(job)) return FinishReason::kCancelled;
        NOTSO_CHECK(sequence_.read(std::span(&id, 1), true, Precision::kExact));
    }
}

SinkVerdict EngineImpl::deliver(Job& job, TokenId id) {
    ++job.stats.generated_tokens;
    {
        const std::lock_guard lock(mutex_);
        ++totals_.generated_tokens;
    }
    GeneratedToken token{.id = id, .logprob = std::nullopt};
    if (!job.request.logprobs && job.request.n_top_logprobs == 0) return job.sink->on_token(token);
    const auto n_top = static_cast<std::size_t>(job.request.n_top_logprobs);
    const TokenChances chances = token_chances(sequence_.logits(), id, n_top);
    std::vector<TokenLogprob> top;
    for (const auto& [other, logprob] : chances.top) top.push_back({other, logprob});
    token.logprob = chances.chosen;
    token.top = top;
    return job.sink->on_token(token);
}

void EngineImpl::count_prompt(const Job& job) {
    const std::lock_guard lock(mutex_);
    totals_.prompt_tokens += static_cast<std::uint64_t>(job.stats.prompt_tokens);
    totals_.cached_tokens += static_cast<std::uint64_t>(job.stats.cached_tokens);
    totals_.kv_bytes =
        static_cast<std::uint64_t>(sequence_.size()) * model_->memory().kv_bytes_per_token;
}

/// The only caller of on_end. The sink dies here, on the engine thread.
void EngineImpl::end(Job& job, FinishReason reason, std::optional<Error> error) {
    if (!job.sink) return;
    const std::unique_ptr<TokenSink> sink = std::move(job.sink);
    sink->on_end({.reason = reason, .error = std::move(error), .stats = job.stats});
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(std::shared_ptr<const Model> model,
                                               const EngineOptions& options) {
    if (options.max_queue < 0 || options.prefill_chunk < 1) {
        return fail(ErrorCode::kInvalidArgument,
                    "max_queue {} must not be negative, prefill_chunk {} must be positive",
                    options.max_queue,
                    options.prefill_chunk);
    }
    const MemoryPlan& plan = model->memory();
    NOTSO_TRY(auto cache, KvCache::create(model->config(), plan.context_length, plan.kv_type));
    return std::make_unique<EngineImpl>(std::move(model), std::move(cache), options);
}

}  // namespace notso::ml

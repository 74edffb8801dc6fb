// How requests come, share pages, make room for each other, and go.
#include "ml/runtime/batch.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kBackgroundPlaces = 2;

}  // namespace

Result<std::unique_ptr<Batch>> Batch::create(const Model& model,
                                             const EngineOptions& options,
                                             BatchEvents events) {
    const MemoryPlan& plan = model.memory();
    // One page more: a page that is shared and begun is copied before it is given up.
    const std::int32_t n_pages = pages_for(plan.pool_tokens()) + 1;
    NOTSO_TRY(auto pool, KvPool::create(model.config(), n_pages, plan.kv_type));
    return std::unique_ptr<Batch>(new Batch(model, options, std::move(events), std::move(pool)));
}

Batch::Batch(const Model& model,
             const EngineOptions& options,
             BatchEvents events,
             std::unique_ptr<KvPool> pool)
    : model_(model),
      options_(options),
      events_(std::move(events)),
      context_length_(model.memory().context_length),
      n_vocab_(static_cast<std::size_t>(model.config().n_vocab)),
      pool_(std::move(pool)),
      tree_(*pool_),
      pace_(model.config().n_layers, options.prefill_chunk) {}

bool Batch::has_place(const Job& job) const {
    const auto count = [this](const auto& which) {
        return static_cast<std::int32_t>(std::ranges::count_if(jobs_, which));
    };
    if (job.is_background())
        return count([](const JobPtr& other) { return other->is_background(); }) <
               kBackgroundPlaces;
    const std::int32_t of_user = count([&](const JobPtr& other) {
        return !other->is_background() && other->request.user == job.request.user;
    });
    const std::int32_t all = count([](const JobPtr& other) { return !other->is_background(); });
    return all < options_.max_running && of_user < std::max(1, options_.max_running * 3 / 4);
}

bool Batch::admit(const JobPtr& job) {
    job->cache = std::make_unique<KvCache>(*pool_);
    resume(*job);
    // Room for the whole prompt and the first token: it would have to stop half-way otherwise.
    // A page for each of the others is left, so that they do not stop it at once.
    const std::int32_t n_tokens = job->n_text() + 1 - job->cache->size();
    const auto room = [&] {
        return make_room(job->cache->pages_wanted(n_tokens) + std::ssize(jobs_));
    };
    bool has_room = room();
    while (!has_room && !job->is_background() && preempt_background()) has_room = room();
    if (!has_room || !job->cache->reserve(n_tokens)) {
        job->cache.reset();
        return false;
    }
    jobs_.push_back(job);
    const std::int32_t cached = job->cache->size();
    if (job->was_preempted) return true;
    job->admitted = SteadyClock::now();
    job->stats.queued = job->admitted - job->accepted;
    job->stats.cached_tokens = std::min(cached, job->n_prompt());
    job->sink->on_prefill(cached, job->n_given());
    return true;
}

/// Begins with as much of the text as others have read. Its last token is left to be read: its
/// logits are wanted.
void Batch::resume(Job& job) {
    const PrefixTree::Match match = tree_.find(job.text);
    const std::int32_t n = std::min(match.n_tokens, job.n_text() - 1);
    if (n <= job.cache->size()) return;
    job.cache = std::make_unique<KvCache>(*pool_);
    job.cache->share(std::span(match.pages).first(static_cast<std::size_t>(pages_for(n))), n);
}

/// Lets later requests find the first tokens of a text.
void Batch::keep(Job& job, std::int32_t n_tokens) {
    tree_.insert(std::span(job.text).first(static_cast<std::size_t>(n_tokens)), job.cache->pages());
}

/// Gives its pages to the tree, where later requests and itself may find them.
void Batch::leave_pages(Job& job) {
    // Guesses that were read but not confirmed are no part of the text.
    job.cache->truncate(std::min(job.cache->size(), job.n_text()));
    keep(job, job.cache->size());
    job.cache.reset();
}

void Batch::end(const JobPtr& job, FinishReason reason, std::optional<Error> error) {
    if (!job->sink) return;
    const SteadyClock::time_point now = SteadyClock::now();
    const bool answered = job->answering != SteadyClock::time_point{};
    job->stats.prefill = (answered ? job->answering : now) - job->admitted;
    if (answered) job->stats.decode = now - job->answering;
    if (error) {
        log::error("engine request={} failed error={}",
                   std::to_underlying(job->id),
                   log::field(error->detail));
    }
    if (!job->in_pass) leave_pages(*job);
    std::erase(jobs_, job);
    const std::unique_ptr<TokenSink> sink = std::move(job->sink);
    events_.on_ended(job);
    sink->on_end({.reason = reason, .error = std::move(error), .stats = job->stats});
}

void Batch::end_cancelled() {
    const std::vector<JobPtr> jobs = jobs_;
    for (const JobPtr& job : jobs)
        if (job->cancelled) end(job, FinishReason::kCancelled);
}

void Batch::end_all(FinishReason reason, const std::optional<Error>& error) {
    const std::vector<JobPtr> jobs = jobs_;
    for (const JobPtr& job : jobs) end(job, reason, error);
}

bool Batch::has_foreground() const {
    return std::ranges::any_of(jobs_, [](const JobPtr& job) { return !job->is_background(); });
}

/// Those that may go on now: background work only where there is nothing else.
std::vector<JobPtr> Batch::active(bool answering) const {
    const bool foreground = has_foreground();
    std::vector<JobPtr> out;
    for (const JobPtr& job : jobs_) {
        if (job->is_answering == answering && !(foreground && job->is_background()))
            out.push_back(job);
    }
    return out;
}

void Batch::step() {
    end_cancelled();
    const std::vector<JobPtr> reading = active(false);
    if (!reading.empty()) {
        prefill(reading);
    } else if (const std::vector<JobPtr> answering = active(true); !answering.empty()) {
        decode(answering);
    }
}

/// Room for so many tokens more of a running request, at the cost of others if need be.
bool Batch::reserve(Job& job, std::int32_t n_tokens) {
    while (!job.cache->reserve(n_tokens)) {
        if (make_room(job.cache->pages_wanted(n_tokens))) continue;
        const JobPtr other = victim(job);
        if (other == nullptr) return false;
        preempt(other);
    }
    return true;
}

/// Frees pages that nobody uses, those used longest ago first. False when there are too few; then
/// none is freed.
bool Batch::make_room(std::ptrdiff_t n_pages) {
    const std::ptrdiff_t missing = n_pages - pool_->n_free();
    if (missing <= 0) return true;
    if (tree_.n_evictable() < missing) return false;
    while (pool_->n_free() < n_pages)
        if (!tree_.evict()) return false;
    return true;
}

/// Who gives its pages to `asking`: background work, then the one that came last, and nobody who
/// came before it.
JobPtr Batch::victim(const Job& asking) const {
    for (const bool background : {true, false}) {
        for (std::size_t i = jobs_.size(); i-- > 0;) {
            const JobPtr& job = jobs_[i];
            if (job.get() == &asking) {
                if (asking.is_background() || !background) return nullptr;
                continue;
            }
            if (job->is_background() == background && !job->in_pass) return job;
        }
    }
    return nullptr;
}

/// Takes the pages of the background's newest request; false when there is none.
bool Batch::preempt_background() {
    const auto newest = std::ranges::find_if(
        jobs_.rbegin(), jobs_.rend(), [](const JobPtr& job) { return job->is_background(); });
    if (newest == jobs_.rend()) return false;
    preempt(JobPtr(*newest));
    return true;
}

void Batch::preempt(const JobPtr& job) {
    leave_pages(*job);
    job->is_answering = false;
    std::erase(jobs_, job);
    events_.on_preempted(job);
}

/// The seam where exceptions of libraries (out of memory above all) become errors.
Result<> Batch::forward(std::span<const Segment> segments, const BetweenLayers& between) const {
    model_.be_quiet(
        std::ranges::all_of(jobs_, [](const JobPtr& job) { return job->request.quiet; }));
    try {
        return model_.forward(segments, between);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kOutOfMemory, "not enough memory to go on with this answer");
    } catch (const std::exception& caught) {
        return fail(ErrorCode::kInternal, "the engine failed: {}", caught.what());
    }
}

std::uint64_t Batch::used_bytes() const noexcept {
    return static_cast<std::uint64_t>(pool_->n_pages() - pool_->n_free()) * pool_->page_bytes();
}
std::uint64_t Batch::held_bytes() const noexcept {
    return static_cast<std::uint64_t>(tree_.n_evictable()) * pool_->page_bytes();
}
std::uint64_t Batch::budget_bytes() const noexcept {
    return static_cast<std::uint64_t>(pool_->n_pages()) * pool_->page_bytes();
}

}  // namespace notso::ml

// How prompts are read: pieces of several in one pass, with answers going on between its layers.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "ml/runtime/batch.hpp"

namespace notso::ml {
namespace {

std::int32_t left_to_read(const Job& job) { return job.n_text() - job.cache->size(); }

/// Whether another prompt that is being read will bring this one a page further at least.
bool waits_for(const Job& job, const Job& other) {
    const auto same = std::ranges::mismatch(job.text, other.text).in1 - job.text.begin();
    const auto shared = std::min(static_cast<std::int32_t>(same), job.n_text() - 1);
    return shared - job.cache->size() >= kPageTokens && other.cache->size() < shared;
}

}  // namespace

void Batch::prefill(const std::vector<JobPtr>& reading) {
    const std::vector<Piece> pieces = plan(reading);
    finish_pass(pieces, read(pieces));
}

std::vector<Batch::Piece> Batch::plan(const std::vector<JobPtr>& reading) {
    std::vector<Piece> pieces;
    for (const JobPtr& job : reading) {
        catch_up(*job);
        // What several texts begin with is read once.
        const bool waits = std::ranges::any_of(
            pieces, [&](const Piece& other) { return waits_for(*job, *other.job); });
        if (!waits) pieces.push_back(next_piece(job));
    }
    share_out(pieces, pace_.prefill_tokens(pieces.front().precision));
    std::erase_if(pieces, [](const Piece& piece) { return piece.n_tokens == 0; });
    for (Piece& piece : pieces) piece.is_last = piece.n_tokens == left_to_read(*piece.job);
    return pieces;
}

/// Half of a pass is for the prompt that came first, and all that others leave. These go by what
/// they have left to read, so that a short one does not wait for a long one.
void Batch::share_out(std::span<Piece> pieces, std::int32_t n_tokens) {
    Piece& first = pieces.front();
    std::int32_t left = n_tokens - std::min(first.n_tokens, (n_tokens + 1) / 2);
    std::ranges::stable_sort(
        pieces.subspan(1), {}, [](const Piece& piece) { return left_to_read(*piece.job); });
    for (Piece& piece : pieces.subspan(1)) {
        piece.n_tokens = std::min(piece.n_tokens, left);
        left -= piece.n_tokens;
    }
    first.n_tokens = std::min(first.n_tokens, (n_tokens + 1) / 2 + left);
}

/// Takes over what other requests have read of the same text meanwhile; its own pages for that
/// become free, so that there is room for the rest again.
void Batch::catch_up(Job& job) {
    const std::int32_t before = job.cache->size();
    resume(job);
    const std::int32_t gained = job.cache->size() - before;
    if (gained == 0) return;
    const bool has_room = job.cache->reserve(job.n_text() + 1 - job.cache->size());
    NOTSO_ASSERT(has_room, "sharing more pages takes no more of them");
    if (job.was_preempted) return;
    job.stats.cached_tokens = std::min(job.stats.cached_tokens + gained, job.n_prompt());
}

/// As many tokens of a prompt as can be read in one way.
Batch::Piece Batch::next_piece(const JobPtr& job) const {
    const std::int32_t done = job->cache->size();
    const std::int32_t first_fast = std::min(job->request.n_exact, job->n_prompt());
    const std::int32_t last_fast = std::max(job->n_prompt() - options_.exact_tail, first_fast);
    const bool is_fast = done >= first_fast && done < last_fast;
    const std::int32_t end = done < first_fast ? first_fast : is_fast ? last_fast : job->n_text();
    return {.job = job,
            .n_tokens = end - done,
            .precision = is_fast ? options_.prompt_precision : Precision::kExact,
            .is_last = false};
}

Result<> Batch::read(std::span<const Piece> pieces) {
    std::vector<Segment> segments;
    std::int32_t n_tokens = 0;
    for (const auto& [job, n, precision, is_last] : pieces) {
        job->in_pass = true;
        const auto first = static_cast<std::size_t>(job->cache->size());
        const std::size_t n_rows = is_last && !job->request.read_only ? 1 : 0;
        segments.push_back(
            {.tokens = std::span(job->text).subspan(first, static_cast<std::size_t>(n)),
             .cache = *job->cache,
             .logits = job->make_rows(n_rows, n_vocab_),
             .precision = precision});
        n_tokens += n;
    }
    const SteadyClock::time_point begin = SteadyClock::now();
    const std::chrono::nanoseconds decoded_before = decoding_;
    NOTSO_CHECK(forward(segments, [&] { return between_layers(pieces); }));
    const auto taken = SteadyClock::now() - begin - (decoding_ - decoded_before);
    pace_.note_prefill(pieces.front().precision, n_tokens, taken);
    return {};
}

/// False ends the pass: nobody waits for it any more, or somebody more important came.
bool Batch::between_layers(std::span<const Piece> pieces) {
    const bool foreground_came = events_.on_pause();
    end_cancelled();
    const auto is_wanted = [&](const Piece& piece) {
        return piece.job->sink != nullptr && !(foreground_came && piece.job->is_background());
    };
    if (std::ranges::none_of(pieces, is_wanted)) return false;
    if (SteadyClock::now() - last_decode_ < pace_.slice()) return true;
    if (const std::vector<JobPtr> answering = active(true); !answering.empty()) decode(answering);
    return true;
}

void Batch::finish_pass(std::span<const Piece> pieces, const Result<>& done) {
    for (const Piece& piece : pieces) piece.job->in_pass = false;
    for (const Piece& piece : pieces) {
        const JobPtr& job = piece.job;
        if (!job->sink) {  // it ended while it was read
            if (job->cache) leave_pages(*job);
        } else if (done) {
            finish_piece(piece);
        } else if (done.error().code != ErrorCode::kCancelled) {
            end(job, FinishReason::kError, done.error());
        }
    }
}

void Batch::finish_piece(const Piece& piece) {
    const JobPtr& job = piece.job;
    const std::int32_t done = job->cache->size();
    keep(*job, done / kPageTokens * kPageTokens);
    if (!job->was_preempted) job->sink->on_prefill(done, job->n_given());
    if (!piece.is_last) return;
    if (job->request.read_only) return end(job, FinishReason::kLength);
    job->is_answering = true;
    if (job->answering == SteadyClock::time_point{}) job->answering = SteadyClock::now();
    job->draft = {};
    choose_tokens(std::span(&job, 1));
}

}  // namespace notso::ml

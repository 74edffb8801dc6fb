// How answers go on: one pass over the last token of each, and over guesses of what follows.
#include <algorithm>
#include <exception>
#include <utility>

#include "ml/runtime/batch.hpp"
#include "ml/sampling/logprobs.hpp"

namespace notso::ml {
namespace {

/// How much longer than without any guesses a pass may take when several answers share it: nobody
/// pays for another one's guesses with a stutter, and what they give together is little where
/// multiplying bounds a pass.
constexpr double kMostWait = 1.25;

Result<TokenId> pick(Sampler& sampler,
                     std::span<const float> logits,
                     const Allowed& allowed) noexcept try {
    switch (allowed.kind) {
        case Allowed::Kind::kSet:
            if (!allowed.mask.empty()) return sampler.sample(logits, allowed.mask);
            break;
        case Allowed::Kind::kForced:
            if (to_index(allowed.forced) < logits.size()) return allowed.forced;
            break;
        case Allowed::Kind::kAnything:
            return sampler.sample(logits);
        case Allowed::Kind::kEnd:
        case Allowed::Kind::kDeadEnd:
            break;
    }
    return fail(ErrorCode::kInternal,
                "no token of this model's vocabulary can go on with the form that was asked for");
} catch (const std::exception&) {
    return fail(ErrorCode::kOutOfMemory, "not enough memory to choose the next token");
}

}  // namespace

void Batch::decode(const std::vector<JobPtr>& answering) {
    const std::vector<JobPtr> jobs = prepare(answering);
    std::vector<Segment> segments;
    std::int32_t n_tokens = 0;
    for (const JobPtr& job : jobs) {
        segments.push_back({.tokens = job->reading,
                            .cache = *job->cache,
                            .logits = job->make_rows(job->reading.size(), n_vocab_)});
        n_tokens += static_cast<std::int32_t>(job->reading.size());
    }
    const SteadyClock::time_point begin = SteadyClock::now();
    const Result<> done = forward(segments, {});
    const auto taken = SteadyClock::now() - begin;
    if (done) pace_.note_decode(n_tokens, taken);
    for (const JobPtr& job : jobs) job->in_pass = false;
    if (done) {
        choose_tokens(jobs);
    } else {
        for (const JobPtr& job : jobs) end(job, FinishReason::kError, done.error());
    }
    last_decode_ = SteadyClock::now();
    decoding_ += last_decode_ - begin;
}

/// Those that have room for another token, with what they read. One that finds none gives its pages
/// to those before it.
std::vector<JobPtr> Batch::prepare(const std::vector<JobPtr>& answering) {
    std::vector<JobPtr> jobs;
    auto n_tokens = static_cast<std::int32_t>(answering.size());
    for (const JobPtr& job : answering) {
        if (!job->cache) continue;  // it made room for one before it
        if (!reserve(*job, 1)) {
            preempt(job);
            continue;
        }
        guess(*job, n_tokens, static_cast<std::int32_t>(answering.size()) - 1);
        n_tokens += static_cast<std::int32_t>(job->reading.size()) - 1;
        job->in_pass = true;
        jobs.push_back(job);
    }
    return jobs;
}

/// Chooses what to read: the last token and perhaps guesses.
/// @param n_beside  Tokens of the pass as far as they are known, this one's last included.
/// @param n_others  Answers that go on in the same pass.
void Batch::guess(Job& job, std::int32_t n_beside, std::int32_t n_others) {
    job.reading.assign(1, job.text.back());
    job.draft = {};
    const std::int32_t room = context_length_ - job.n_text();
    const std::int32_t most = std::min(options_.max_draft, room - 1);
    if (most <= 0) return;
    job.drafter.update(job.text);
    job.draft = job.drafter.propose(job.text, most);
    if (job.draft.tokens.empty()) return;
    const auto n_more = static_cast<std::int32_t>(job.draft.tokens.size());
    PassCompany company{.n_others = n_others};
    if (n_others > 0)
        company.most_seconds = kMostWait * pace_.decode_seconds(n_others + 1, 0).front();
    const std::int32_t n =
        job.draft_length.choose(job.draft, pace_.decode_seconds(n_beside, n_more), company);
    // Guesses are worth no pages of others.
    if (n == 0 || !job.cache->reserve(1 + n)) return;
    job.reading.insert(job.reading.end(), job.draft.tokens.begin(), job.draft.tokens.begin() + n);
}

/// Goes on with texts from the logits of the last pass: as long as guesses were right, their logits
/// are those that plain decoding would have given. Draws look at a whole vocabulary each, so they
/// run side by side; guides and sinks are called on this thread.
void Batch::choose_tokens(std::span<const JobPtr> jobs) {
    std::vector<Turn> turns;
    for (const JobPtr& job : jobs) {
        job->stats.draft_tokens += static_cast<std::int32_t>(job->n_rows) - 1;
        turns.push_back({.job = job});
    }
    while (!turns.empty()) {
        for (Turn& turn : turns) {
            TokenGuide* guide = turn.job->request.guide.get();
            turn.allowed = guide == nullptr ? Allowed::anything() : guide->next(n_left(*turn.job));
        }
        model_.run_tasks(static_cast<std::int32_t>(turns.size()), [&](std::int32_t i) noexcept {
            Turn& turn = turns[static_cast<std::size_t>(i)];
            turn.token = pick(turn.job->sampler, row_of(turn), turn.allowed);
        });
        std::erase_if(turns, [this](const Turn& turn) { return !take(turn); });
        for (Turn& turn : turns) ++turn.row;
    }
}

std::span<const float> Batch::row_of(const Turn& turn) const {
    return std::span(turn.job->logits).subspan(turn.row * n_vocab_, n_vocab_);
}

/// Adds a token that was drawn. Whether the next row of the pass counts, too.
bool Batch::take(const Turn& turn) {
    const JobPtr& job = turn.job;
    const auto finish = add(*job, turn);
    if (!finish) end(job, FinishReason::kError, finish.error());
    if (finish && *finish) end(job, **finish);
    if (!finish || *finish) return false;
    const std::vector<TokenId>& guesses = job->draft.tokens;
    const bool was_right = turn.row < guesses.size() && job->text.back() == guesses[turn.row];
    const bool has_next = turn.row + 1 < job->n_rows;
    if (has_next) job->stats.accepted_tokens += was_right;
    if (was_right && has_next) return true;
    learn(*job, turn.row + was_right);
    return false;
}

/// After the last token of a pass that counted: what became of guesses, and what others can find.
void Batch::learn(Job& job, std::size_t n_right) {
    // A guess that was not tried teaches, too.
    const std::size_t n_compared = std::min(job.n_rows, job.draft.tokens.size());
    if (n_compared > 0) job.draft_length.learn(job.draft, n_compared, n_right);
    job.cache->truncate(std::min(job.cache->size(), job.n_text() - 1));
    const std::int32_t done = job.cache->size();
    if (done / kPageTokens > (done - static_cast<std::int32_t>(job.n_rows)) / kPageTokens)
        keep(job, done / kPageTokens * kPageTokens);
}

Result<std::optional<FinishReason>> Batch::add(Job& job, const Turn& turn) {
    const GenerationRequest& request = job.request;
    if (turn.allowed.kind == Allowed::Kind::kEnd) return FinishReason::kStop;
    NOTSO_TRY(const TokenId id, turn.token);
    if (std::ranges::find(request.end_tokens, id) != request.end_tokens.end())
        return FinishReason::kStop;
    job.sampler.accept(id);
    if (request.guide) request.guide->accept(id);
    job.text.push_back(id);
    if (deliver(job, id, row_of(turn)) == SinkVerdict::kStop) return FinishReason::kStop;
    if (n_left(job) > 0) return std::nullopt;
    const bool is_complete = request.guide && request.guide->next(0).kind == Allowed::Kind::kEnd;
    return is_complete ? FinishReason::kStop : FinishReason::kLength;
}

/// Tokens that the answer may still have.
std::int32_t Batch::n_left(const Job& job) const {
    const std::int32_t room = context_length_ - job.n_prompt();
    const std::int32_t wanted = job.request.max_tokens;
    return (wanted > 0 ? std::min(wanted, room) : room) - job.stats.generated_tokens;
}

SinkVerdict Batch::deliver(Job& job, TokenId id, std::span<const float> logits) {
    ++job.stats.generated_tokens;
    events_.on_token(job);
    GeneratedToken token{.id = id, .logprob = std::nullopt};
    if (!job.request.logprobs && job.request.n_top_logprobs == 0) return job.sink->on_token(token);
    const auto n_top = static_cast<std::size_t>(job.request.n_top_logprobs);
    const TokenChances chances = token_chances(logits, id, n_top);
    std::vector<TokenLogprob> top;
    for (const auto& [other, logprob] : chances.top) top.push_back({other, logprob});
    token.logprob = chances.chosen;
    token.top = top;
    return job.sink->on_token(token);
}

}  // namespace notso::ml

// How answers go on: one pass over the last token of each, and over guesses of what follows.
#include <algorithm>
#include <utility>

#include "ml/runtime/batch.hpp"
#include "ml/sampling/logprobs.hpp"

namespace notso::ml {
namespace {

/// How much longer than without any guesses a pass may take when several answers share it: nobody
/// pays for another one's guesses with a stutter, and what they give together is little where
/// multiplying bounds a pass.
constexpr double kMostWait = 1.25;

Result<TokenId> pick(Sampler& sampler, std::span<const float> logits, const Allowed& allowed) {
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
    for (const JobPtr& job : jobs) {
        if (done) {
            choose_tokens(job);
        } else {
            end(job, FinishReason::kError, done.error());
        }
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

/// Goes on with the text from the logits of the last pass: as long as guesses were right, their
/// logits are those that plain decoding would have given.
void Batch::choose_tokens(const JobPtr& job) {
    const std::size_t n_rows = job->n_rows;
    const std::vector<TokenId>& guesses = job->draft.tokens;
    std::size_t n_right = 0;
    bool goes_on = true;
    job->stats.draft_tokens += static_cast<std::int32_t>(n_rows) - 1;
    for (std::size_t row = 0; goes_on && row < n_rows; ++row) {
        const auto finish = choose(*job, std::span(job->logits).subspan(row * n_vocab_, n_vocab_));
        if (!finish) return end(job, FinishReason::kError, finish.error());
        if (*finish) return end(job, **finish);
        goes_on = row < guesses.size() && job->text.back() == guesses[row];
        n_right += goes_on;
        if (row + 1 < n_rows) job->stats.accepted_tokens += goes_on;
    }
    // A guess that was not tried teaches, too.
    const std::size_t n_compared = std::min(n_rows, guesses.size());
    if (n_compared > 0) job->draft_length.learn(job->draft, n_compared, n_right);
    job->cache->truncate(std::min(job->cache->size(), job->n_text() - 1));
    // Whole pages can be found by others from now on.
    const std::int32_t done = job->cache->size();
    if (done / kPageTokens > (done - static_cast<std::int32_t>(n_rows)) / kPageTokens)
        keep(*job, done / kPageTokens * kPageTokens);
}

Result<std::optional<FinishReason>> Batch::choose(Job& job, std::span<const float> logits) {
    const GenerationRequest& request = job.request;
    Allowed allowed;
    if (request.guide) allowed = request.guide->next(n_left(job));
    if (allowed.kind == Allowed::Kind::kEnd) return FinishReason::kStop;
    NOTSO_TRY(const TokenId id, pick(job.sampler, logits, allowed));
    if (std::ranges::find(request.end_tokens, id) != request.end_tokens.end())
        return FinishReason::kStop;
    job.sampler.accept(id);
    if (request.guide) request.guide->accept(id);
    job.text.push_back(id);
    if (deliver(job, id, logits) == SinkVerdict::kStop) return FinishReason::kStop;
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

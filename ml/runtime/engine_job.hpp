// Job: a request on its way through the engine. Private to the engine's files.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "ml/runtime/draft.hpp"
#include "ml/runtime/engine.hpp"
#include "ml/runtime/kv_cache.hpp"
#include "ml/sampling/sampler.hpp"

namespace notso::ml {

/// Except for `cancelled`, only the engine thread touches it once it is queued.
struct Job {
    Job(GenerationRequest its_request, std::unique_ptr<TokenSink> its_sink)
        : request(std::move(its_request)), sink(std::move(its_sink)), sampler(request.sampling) {
        stats.prompt_tokens = n_prompt();
        text = request.prompt;
        text.insert(text.end(), request.written.begin(), request.written.end());
        stats.generated_tokens = static_cast<std::int32_t>(request.written.size());
        sampler.go_on(request.written, request.n_drawn);
    }

    std::int32_t n_prompt() const { return static_cast<std::int32_t>(request.prompt.size()); }
    /// What is read before the first new token.
    std::int32_t n_given() const {
        return n_prompt() + static_cast<std::int32_t>(request.written.size());
    }
    std::int32_t n_text() const { return static_cast<std::int32_t>(text.size()); }
    /// Room for the logits of a pass.
    std::span<float> make_rows(std::size_t n, std::size_t n_vocab) {
        n_rows = n;
        if (logits.size() < n * n_vocab) logits.resize(n * n_vocab);
        return std::span(logits).first(n * n_vocab);
    }
    bool is_background() const { return request.priority == Priority::kBackground; }

    RequestId id{};
    GenerationRequest request;
    std::unique_ptr<TokenSink> sink;  ///< Null once it has ended.
    std::atomic<bool> cancelled = false;
    std::int32_t announced_position = -1;
    bool was_preempted = false;  ///< It waits for the second time: it goes first.

    SteadyClock::time_point accepted = SteadyClock::now();
    SteadyClock::time_point admitted{};  ///< When it began to run for the first time.
    SteadyClock::time_point answering{};
    GenerationStats stats = {};

    std::unique_ptr<KvCache> cache;  ///< While it runs.
    std::vector<TokenId> text;       ///< The prompt and what was generated.
    /// The text was read up to its last token but one, and that one was chosen from logits.
    bool is_answering = false;
    bool in_pass = false;  ///< Its cache is being written.
    Sampler sampler;
    Drafter drafter;
    DraftLength draft_length;
    Draft draft;                   ///< What may follow the text.
    std::vector<TokenId> reading;  ///< The text's last token and the guesses that are tried.
    std::vector<float> logits;     ///< [≥ n_rows, n_vocab]: it never shrinks, since growing costs
    std::size_t n_rows = 0;        ///< That the last pass wrote.
};
using JobPtr = std::shared_ptr<Job>;

}  // namespace notso::ml

// Engine: token ids in, token ids out, for one model. Owns the engine thread, the queue and the KV
// cache. It knows nothing of chats, JSON or HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "ml/kernels/precision.hpp"
#include "ml/sampling/params.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

class Model;

enum class RequestId : std::uint64_t {};

enum class FinishReason {
    kStop,       ///< An end token, or the sink asked to stop.
    kLength,     ///< max_tokens or the end of the context was reached.
    kCancelled,  ///< cancel() or shutdown.
    kError,      ///< See GenerationEnd::error.
};

struct GenerationRequest {
    std::vector<TokenId> prompt;  ///< Not empty; prompt.size() < context length.
    /// The first tokens of the prompt, up to the last that a model wrote: they are always read
    /// exactly, as when they were written.
    std::int32_t n_exact = 0;
    std::int32_t max_tokens = 0;  ///< 0 = what the context leaves.
    SamplingParams sampling = {};
    std::vector<TokenId> end_tokens = {};  ///< Generation ends at these; they are not delivered.
    std::int32_t n_top_logprobs = 0;       ///< 0..20 alternatives per token.
    bool logprobs = false;
};

struct TokenLogprob {
    TokenId id;
    float logprob;  ///< Natural log, of the unmodified distribution.
};

struct GeneratedToken {
    TokenId id;
    std::optional<float> logprob;            ///< When asked for.
    std::span<const TokenLogprob> top = {};  ///< Valid during the call only.
};

struct GenerationStats {
    std::int32_t prompt_tokens = 0;
    std::int32_t cached_tokens = 0;  ///< Of the prompt, found in the KV cache.
    std::int32_t generated_tokens = 0;
    std::chrono::nanoseconds queued{};
    std::chrono::nanoseconds prefill{};
    std::chrono::nanoseconds decode{};
};

struct GenerationEnd {
    FinishReason reason = FinishReason::kStop;
    std::optional<Error> error = {};
    GenerationStats stats = {};
};

enum class SinkVerdict { kContinue, kStop };

/// Receives one request's events, on the engine thread, in order. Must be quick and must never
/// block.
class TokenSink {
  public:
    virtual ~TokenSink() = default;
    /// Requests ahead of this one changed (0 = next).
    virtual void on_queued(std::int32_t /*position*/) {}
    /// Prompt tokens read so far, cached ones included.
    virtual void on_prefill(std::int32_t /*done*/, std::int32_t /*total*/) {}
    virtual SinkVerdict on_token(const GeneratedToken& token) = 0;
    /// Last call, exactly once, whatever happened.
    virtual void on_end(const GenerationEnd& end) = 0;
};

struct EngineOptions {
    std::int32_t max_queue = 64;
    /// Most tokens per step; fewer on slow machines, so that a step takes about 120 ms and a cancel
    /// waits no longer.
    std::int32_t prefill_chunk = 128;
    Precision prompt_precision = Precision::kExact;  ///< Of new prompt text.
    /// Last tokens of a prompt that are read exactly all the same: the answer begins from them.
    std::int32_t exact_tail = 16;
};

struct EngineStats {
    std::int32_t running = 0;
    std::int32_t waiting = 0;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t generated_tokens = 0;
    std::uint64_t kv_bytes = 0;
};

class Engine {
  public:
    /// Allocates the KV cache, as long and of the type that the model's MemoryPlan says, and starts
    /// the engine thread.
    /// @errors kOutOfMemory when the system refuses.
    static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                  const EngineOptions& options);

    /// Cancels what runs, ends every sink, joins.
    virtual ~Engine() = default;

    /// Queues a request; returns at once. On failure the sink is destroyed without a call.
    /// @errors kOverloaded when the queue is full; kContextLength with both numbers;
    /// kInvalidArgument.
    virtual Result<RequestId> submit(GenerationRequest request,
                                     std::unique_ptr<TokenSink> sink) = 0;

    /// Takes effect before the next decode step or prefill chunk; unknown ids are ignored. Any
    /// thread.
    virtual void cancel(RequestId id) = 0;

    virtual EngineStats stats() const = 0;
    virtual std::int32_t context_length() const = 0;
    virtual const Model& model() const = 0;
};

}  // namespace notso::ml

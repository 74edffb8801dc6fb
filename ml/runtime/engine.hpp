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
#include "ml/sampling/token_guide.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

class Model;

enum class RequestId : std::uint64_t {};

enum class FinishReason {
    kStop,       ///< An end token, the guide said so, or the sink asked to stop.
    kLength,     ///< max_tokens or the end of the context was reached.
    kCancelled,  ///< cancel() or shutdown.
    kError,      ///< See GenerationEnd::error.
};

/// Who goes first when not all can run.
enum class Priority : std::uint8_t {
    kInteractive,  ///< A person waits for it.
    kApi,          ///< A program waits for it.
    kBackground,   ///< Nobody does: it runs only when no other request is there.
};

struct GenerationRequest {
    std::vector<TokenId> prompt;  ///< Not empty; prompt.size() < context length.
    /// The first tokens of the prompt, up to the last that a model wrote: they are always read
    /// exactly, as when they were written.
    std::int32_t n_exact = 0;
    /// Tokens of the answer that were generated before, by an earlier request: it goes on behind
    /// them as if it had never stopped. They count as generated and are not delivered again; the
    /// guide was told of them by whoever made it.
    std::vector<TokenId> written = {};
    std::int32_t n_drawn = 0;     ///< Of them, those that were drawn; the others were forced.
    std::int32_t max_tokens = 0;  ///< 0 = what the context leaves.
    SamplingParams sampling = {};
    std::vector<TokenId> end_tokens = {};  ///< Generation ends at these; they are not delivered.
    std::int32_t n_top_logprobs = 0;       ///< 0..20 alternatives per token.
    bool logprobs = false;
    /// Whose request it is, any number: users get turns, requests of one user go in their order.
    std::uint64_t user = 0;
    Priority priority = Priority::kInteractive;
    bool read_only = false;  ///< The prompt is read ahead for a later request; nothing is written.
    /// Half of the threads are enough. They are, as long as all that run together say so.
    bool quiet = false;
    /// Steers what may be generated; of this request alone. Null = anything.
    std::shared_ptr<TokenGuide> guide = {};
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
    std::int32_t cached_tokens = 0;     ///< Of the prompt, found in the KV cache.
    std::int32_t generated_tokens = 0;  ///< Those written before included.
    std::int32_t draft_tokens = 0;      ///< Guessed ahead from the text.
    std::int32_t accepted_tokens = 0;   ///< Of those, confirmed by the model: generated for less.
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
    /// @param wait  About how long it will wait, from how long others took; 0 = not known yet.
    virtual void on_queued(std::int32_t /*position*/, std::chrono::milliseconds /*wait*/) {}
    /// Prompt tokens read so far, cached ones and those written before included.
    virtual void on_prefill(std::int32_t /*done*/, std::int32_t /*total*/) {}
    virtual SinkVerdict on_token(const GeneratedToken& token) = 0;
    /// Last call, exactly once, whatever happened.
    virtual void on_end(const GenerationEnd& end) = 0;
};

struct EngineOptions {
    /// Requests that wait, at most. A user who has none there gets in beyond it, up to a quarter
    /// more: nobody is shut out by another user's requests.
    std::int32_t max_queue = 64;
    /// Requests that are read and answered together; of one user three quarters of them.
    std::int32_t max_running = 16;
    /// Most prompt tokens of a forward pass; fewer on slow machines, so that a pass takes a second.
    std::int32_t prefill_chunk = 256;
    Precision prompt_precision = Precision::kExact;  ///< Of new prompt text.
    /// Last tokens of a prompt that are read exactly all the same: the answer begins from them.
    std::int32_t exact_tail = 16;
    /// Most tokens that are guessed ahead for one request; 0 = none.
    std::int32_t max_draft = 15;
};

struct EngineStats {
    std::int32_t running = 0;
    std::int32_t waiting = 0;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t generated_tokens = 0;
    std::uint64_t draft_tokens = 0;
    std::uint64_t accepted_tokens = 0;
    std::uint64_t preemptions = 0;    ///< Requests that had to give their memory to others.
    std::uint64_t kv_bytes = 0;       ///< Of pages in use, those kept for later requests included.
    std::uint64_t kv_held_bytes = 0;  ///< Of those that no running request uses.
    std::uint64_t kv_budget_bytes = 0;
};

class Engine {
  public:
    /// Reserves the memory for keys and values, as much and of the type that the model's MemoryPlan
    /// says, and starts the engine thread.
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

    /// Takes effect before the next token or layer of a prompt; unknown ids are ignored. Any
    /// thread.
    virtual void cancel(RequestId id) = 0;

    virtual EngineStats stats() const = 0;
    virtual std::int32_t context_length() const = 0;
    virtual const Model& model() const = 0;
};

}  // namespace notso::ml

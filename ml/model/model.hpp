// Model: immutable weights + tokenizer + config of one file, and the forward pass over a KV cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ml/kernels/kv_type.hpp"
#include "ml/kernels/precision.hpp"
#include "ml/model/memory_plan.hpp"
#include "ml/tokenizer/token_id.hpp"
#include "ml/tokenizer/tokenizer.hpp"

namespace notso::ml {

/// Shape and constants of a model, checked. Source: the GGUF keys of engine_reference.md.
struct ModelConfig {
    std::string architecture;  ///< "llama", "smollm3", "qwen2", "qwen3"
    std::string name;          ///< general.name, or the file's stem
    std::int32_t n_layers = 0;
    std::int32_t n_embd = 0;  ///< hidden size
    std::int32_t n_ff = 0;
    std::int32_t n_heads = 0;
    std::int32_t n_kv_heads = 0;
    std::int32_t head_dim = 0;
    std::int32_t n_rot = 0;  ///< rotated dimensions of a head
    std::int32_t n_vocab = 0;
    std::int32_t context_length = 0;  ///< what the model was trained for, or stretched to (YaRN)
    float rms_eps = 0;
    float rope_base = 0;
    std::string file_type;  ///< e.g. "Q4_K_M", for people
    std::uint64_t n_parameters = 0;
    std::uint64_t weight_bytes = 0;
};

struct LoadOptions {
    std::int32_t n_threads = 0;  ///< 0 = physical cores this process may use.
    std::optional<std::filesystem::path> tokenizer_json =
        {};                           ///< Replaces the file's own tokenizer.
    std::int32_t context_length = 0;  ///< Tokens; 0 = min(model, 8192, what memory allows).
    KvType kv_type = KvType::kF16;
    std::uint64_t kv_budget_bytes = 0;  ///< Of all sequences; 0 = by max_contexts.
    std::int32_t max_contexts = 1;      ///< As MemoryRequest::max_contexts.
    /// Called before weights are read, on the loading thread.
    std::function<void(const MemoryPlan&)> on_plan = {};
    std::function<void(double)> on_progress = {};  ///< 0..1, on the loading thread.
    std::stop_token stop = {};
};

class KvCache;  // ml/runtime/kv_cache.hpp

/// The next tokens of one sequence, for a forward pass over several sequences.
struct Segment {
    std::span<const TokenId> tokens;  ///< At the positions after what the cache holds.
    KvCache& cache;                   ///< Gets their keys and values.
    std::span<float> logits = {};     ///< [rows, n_vocab] f32: of the last `rows` tokens; rows may
                                      ///< be 0. rows = logits.size() / n_vocab.
    /// kFast for new prompt text only: what was generated is always read exactly.
    Precision precision = Precision::kExact;
};

/// Called after every layer of a forward pass, on the thread that called it; false ends the pass.
/// It may run another forward pass, over other caches, in which nothing is called between layers:
/// so a long prompt is read beside answers that go on.
using BetweenLayers = std::function<bool()>;

class Model {
  public:
    /// Opens, checks and prepares a model.
    /// @errors kNotFound, kIo, kCorruptData, kUnsupported (architecture or tensor type by name,
    /// with what runs),
    ///         kOutOfMemory (with numbers), kInvalidArgument (a context beyond the model's),
    ///         kCancelled.
    static Result<std::shared_ptr<const Model>> load(const std::filesystem::path& path,
                                                     const LoadOptions& options = {});

    virtual ~Model() = default;

    virtual const ModelConfig& config() const = 0;
    virtual const Tokenizer& tokenizer() const = 0;
    /// The file's own Jinja chat template; empty when there is none.
    virtual std::string_view chat_template() const = 0;
    virtual const std::filesystem::path& path() const = 0;

    /// What was planned when it was loaded: length and type of the cache that its user may make.
    virtual const MemoryPlan& memory() const = 0;

    /// Runs the tokens of all segments together, reading the weights once for up to kChunkTokens
    /// of them. What a token gets has the same bits in any company: they depend on its own
    /// sequence and precision only. When it fails, every cache is as it was.
    /// One thread at a time per model (the engine thread); it forks to the model's own thread pool.
    /// @errors kContextLength when a cache is full; kInvalidArgument for an id ≥ n_vocab, for
    /// logits that are no whole rows or more rows than tokens, and for two segments with the same
    /// cache; kCancelled when `between` said so.
    virtual Result<> forward(std::span<const Segment> segments,
                             const BetweenLayers& between) const = 0;
    /// Forward passes from now on take half of the threads, so that the machine stays cool and has
    /// room for others; or all again. Results don't depend on it. The thread that calls forward().
    virtual void be_quiet(bool /*quiet*/) const noexcept {}
    /// Calls task(0) … task(n_tasks − 1), each once, on the threads that forward() uses, and
    /// returns when all are done: for what its caller does with many logits. A task must not throw.
    /// The thread that calls forward().
    virtual void run_tasks(std::int32_t n_tasks,
                           const std::function<void(std::int32_t)>& task) const {
        for (std::int32_t i = 0; i < n_tasks; ++i) task(i);
    }
    Result<> forward(std::span<const Segment> segments) const { return forward(segments, {}); }

    /// The same for one sequence.
    Result<> forward(std::span<const TokenId> tokens,
                     KvCache& cache,
                     std::span<float> logits,
                     Precision precision = Precision::kExact) const {
        const Segment segment{
            .tokens = tokens, .cache = cache, .logits = logits, .precision = precision};
        return forward(std::span(&segment, 1));
    }
};

}  // namespace notso::ml

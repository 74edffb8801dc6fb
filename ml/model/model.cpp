// Model::load: file, checks, weights, tokenizer, put together.
#include "ml/model/model.hpp"

#include "base/log.hpp"
#include "ml/device/device_manager.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/config.hpp"
#include "ml/model/transformer.hpp"
#include "ml/model/weights.hpp"
#include "ml/runtime/kv_cache.hpp"

namespace notso::ml {
namespace {

class LoadedModel final : public Model {
  public:
    LoadedModel(std::filesystem::path path,
                std::shared_ptr<const Tokenizer> tokenizer,
                std::string chat_template,
                std::unique_ptr<const Transformer> transformer,
                const MemoryPlan& memory)
        : path_(std::move(path)),
          tokenizer_(std::move(tokenizer)),
          chat_template_(std::move(chat_template)),
          transformer_(std::move(transformer)),
          memory_(memory) {}

    const ModelConfig& config() const override { return transformer_->config(); }
    const Tokenizer& tokenizer() const override { return *tokenizer_; }
    std::string_view chat_template() const override { return chat_template_; }
    const std::filesystem::path& path() const override { return path_; }

    const MemoryPlan& memory() const override { return memory_; }

    using Model::forward;
    Result<> forward(std::span<const Segment> segments,
                     const BetweenLayers& between) const override {
        return transformer_->forward(segments, between);
    }
    void be_quiet(bool quiet) const noexcept override { transformer_->be_quiet(quiet); }
    void run_tasks(std::int32_t n_tasks,
                   const std::function<void(std::int32_t)>& task) const override {
        transformer_->run_tasks(n_tasks, task);
    }

  private:
    std::filesystem::path path_;
    std::shared_ptr<const Tokenizer> tokenizer_;
    std::string chat_template_;
    std::unique_ptr<const Transformer> transformer_;
    MemoryPlan memory_;
};

Result<std::shared_ptr<const Tokenizer>> load_tokenizer(const gguf::File& file,
                                                        const LoadOptions& options,
                                                        std::int32_t n_vocab) {
    if (options.tokenizer_json) {
        return Tokenizer::from_hf_json(*options.tokenizer_json, static_cast<std::size_t>(n_vocab));
    }
    NOTSO_TRY(auto tokenizer, Tokenizer::from_gguf(file));
    if (tokenizer->vocab_size() > static_cast<std::size_t>(n_vocab)) {
        return fail(ErrorCode::kCorruptData,
                    "{}: {} has {} tokens, but token_embd.weight only {} rows",
                    file.path().string(),
                    gguf::key_label(file, "tokenizer.ggml.tokens"),
                    tokenizer->vocab_size(),
                    n_vocab);
    }
    return tokenizer;
}

/// Plans, tells, and refuses what does not fit. Nothing is allocated yet.
Result<MemoryPlan> plan(const gguf::File& file, const ModelSpec& spec, const LoadOptions& options) {
    const MemoryRequest request{.context_length = options.context_length,
                                .kv_type = options.kv_type,
                                .n_threads = options.n_threads,
                                .kv_budget_bytes = options.kv_budget_bytes,
                                .max_contexts = options.max_contexts};
    NOTSO_TRY(const MemoryPlan estimate, estimate_memory(file, spec, request));
    const std::uint64_t available = read_memory().available_bytes;
    NOTSO_TRY(const MemoryPlan plan, fit_memory(estimate, spec.config, request, available));
    log::info(
        "event=memory weight_bytes={} buffer_bytes={} kv_type={} kv_bytes_per_token={} ctx={} "
        "kv_bytes={} total_bytes={} available_bytes={}",
        plan.weight_bytes,
        plan.buffer_bytes,
        kv_traits(plan.kv_type).name,
        plan.kv_bytes_per_token,
        plan.context_length,
        plan.kv_bytes(),
        plan.total_bytes(),
        available);
    if (options.on_plan) options.on_plan(plan);
    return plan;
}

}  // namespace

namespace {

Result<std::shared_ptr<const Model>> load_file(const std::filesystem::path& path,
                                               const LoadOptions& options) {
    NOTSO_TRY(const DeviceManager device, DeviceManager::create());
    NOTSO_TRY(const std::shared_ptr<const gguf::File> file, gguf::File::open(path));
    NOTSO_TRY(ModelSpec spec, read_spec(*file));
    NOTSO_TRY(const MemoryPlan memory, plan(*file, spec, options));
    NOTSO_TRY(auto tokenizer, load_tokenizer(*file, options, spec.config.n_vocab));
    const std::int32_t n_threads = choose_threads(options.n_threads, device.cores());
    NOTSO_TRY(Weights weights,
              load_weights(*file,
                           spec,
                           {.kernels = &device.kernels(),
                            .n_threads = n_threads,
                            .on_progress = options.on_progress,
                            .stop = options.stop}));
    NOTSO_CHECK(file->check_whole());
    NOTSO_TRY(const auto chat_template, file->get_string("tokenizer.chat_template"));
    auto transformer = std::make_unique<const Transformer>(
        std::move(spec), std::move(weights), device.kernels(), n_threads);
    return std::make_shared<const LoadedModel>(path,
                                               std::move(tokenizer),
                                               std::string(chat_template.value_or("")),
                                               std::move(transformer),
                                               memory);
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::load(const std::filesystem::path& path,
                                                 const LoadOptions& options) {
    auto model = load_file(path, options);
    // Whatever is wrong, the message names the file.
    if (!model && !model.error().detail.contains(path.string()))
        model.error().detail = fmt::format("{}: {}", path.string(), model.error().detail);
    return model;
}

}  // namespace notso::ml

#include "app/model_shelf.hpp"

#include "app/backend_choice.hpp"
#include "app/model_choice.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "ml/device/resources.hpp"
#include "services/backend/model_shelf.hpp"

namespace notso::app {
namespace {

/// Less available than this, and the system may soon kill somebody: a model that nobody uses goes.
constexpr std::uint64_t kLowMemory = 128 * kMiB;
// Whole contexts that a model keeps memory for, at most.
constexpr std::int32_t kServerContexts = 4;
constexpr std::int32_t kTerminalContexts = 1;
constexpr double kMsPerMinute = 60'000;

services::ModelFile describe(const Settings& settings, const std::filesystem::path& path) {
    return services::describe_model(path,
                                    {.context_length = settings.context,
                                     .kv_type = settings.kv,
                                     .n_threads = settings.threads});
}

services::ShelfList list_shelf(const Settings& settings) {
    services::ShelfList list;
    if (auto chosen = choose_model(settings)) {
        list.models.push_back(describe(settings, *chosen));
        list.default_id = list.models.front().info.id;
    } else {
        list.problem = chosen.error().detail;
    }
    const auto files = services::list_model_files(settings.models_dir);
    if (!files) {
        log::warn("event=models error={}", log::field(files.error().detail));
        return list;
    }
    for (const auto& path : *files)
        if (path.stem() != list.default_id) list.models.push_back(describe(settings, path));
    return list;
}

std::unique_ptr<services::ChatBackend> make_shelf(const Settings& settings, std::int32_t contexts) {
    if (settings.backend != BackendKind::kLocal) return make_backend(settings);
    services::ShelfOptions options;
    options.list = [settings] { return list_shelf(settings); };
    // A tokenizer.json belongs to the model that was chosen, not to every other one.
    const auto chosen = choose_model(settings);
    const auto tokenizer_of = [settings,
                               path = chosen.value_or("")](const services::ModelFile& model) {
        return model.path == path ? settings.tokenizer_json : std::nullopt;
    };
    options.load = [settings, tokenizer_of, contexts](const services::ModelFile& model) {
        services::LocalOptions local = local_options(settings, model.path);
        local.tokenizer_json = tokenizer_of(model);
        local.max_contexts = contexts;
        return services::make_local_backend(std::move(local));
    };
    options.counter = [tokenizer_of](const services::ModelFile& model) {
        return services::TokenCounter::open(model.path, tokenizer_of(model));
    };
    options.available_bytes = [] { return ml::read_memory().available_bytes; };
    options.max_loaded = static_cast<std::size_t>(settings.max_models);
    options.budget_bytes = settings.memory_limit_mib > 0
                               ? static_cast<std::uint64_t>(settings.memory_limit_mib) * kMiB
                               : ml::read_memory().total_bytes;
    options.idle_unload = std::chrono::milliseconds(
        static_cast<std::int64_t>(settings.idle_unload_minutes * kMsPerMinute));
    options.low_bytes = kLowMemory;
    return std::make_unique<services::ModelShelf>(std::move(options));
}

}  // namespace

std::unique_ptr<services::ChatBackend> make_server_backend(const Settings& settings) {
    return make_shelf(settings, kServerContexts);
}

std::unique_ptr<services::ChatBackend> make_terminal_backend(const Settings& settings) {
    return make_shelf(settings, kTerminalContexts);
}

}  // namespace notso::app

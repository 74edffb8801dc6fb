// notso models: what is installed.
#include <boost/json.hpp>
#include <iostream>

#include "app/commands/command.hpp"
#include "app/model_choice.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/config.hpp"
#include "ml/model/memory_plan.hpp"

namespace notso::app {
namespace {

struct Options {
    bool json = false;
};

/// What the model takes with the settings' context and cache, a full context included; nothing for
/// a file that does not run.
std::optional<std::uint64_t> memory_bytes(const InstalledModel& model, const Settings& settings) {
    const auto file = ml::gguf::File::open(model.path);
    if (!file) return std::nullopt;
    const auto spec = ml::read_spec(**file);
    if (!spec) return std::nullopt;
    const auto plan = ml::estimate_memory(**file,
                                          *spec,
                                          {.context_length = settings.context,
                                           .kv_type = settings.kv,
                                           .n_threads = settings.threads});
    return plan ? std::optional(plan->total_bytes()) : std::nullopt;
}

double megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

Result<int> run(const Settings& settings, const Options& options) {
    NOTSO_TRY(const std::vector<InstalledModel> models, installed_models(settings.models_dir));
    const auto chosen = choose_model(settings);
    if (options.json) {
        boost::json::array rows;
        for (const InstalledModel& model : models) {
            const auto memory = memory_bytes(model, settings);
            rows.push_back({{"name", model.name},
                            {"path", model.path.string()},
                            {"bytes", model.size_bytes},
                            {"memory_bytes", memory ? boost::json::value(*memory) : nullptr},
                            {"default", chosen && *chosen == model.path}});
        }
        std::cout << boost::json::serialize(rows) << '\n';
        return kExitOk;
    }
    if (models.empty()) {
        std::cout << fmt::format("no models in {}\n", settings.models_dir.string());
        return kExitOk;
    }
    for (const InstalledModel& model : models) {
        const auto memory = memory_bytes(model, settings);
        const bool is_default = chosen && *chosen == model.path;
        std::cout << fmt::format("{:<44} {:>9.1f} MB  {}  {}{}\n",
                                 model.name,
                                 megabytes(model.size_bytes),
                                 memory ? fmt::format("{:>7.0f} MB in memory", megabytes(*memory))
                                        : fmt::format("{:>20}", "does not run"),
                                 model.path.string(),
                                 is_default ? "  (default)" : "");
    }
    return kExitOk;
}

}  // namespace

CommandBody declare_models(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.flag("--json", values->json, "print a JSON array");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app

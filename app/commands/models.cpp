// notso models: what is installed.
#include <boost/json.hpp>
#include <iostream>

#include "app/commands/command.hpp"
#include "app/model_choice.hpp"

namespace notso::app {
namespace {

struct Options {
    bool json = false;
};

Result<int> run(const Settings& settings, const Options& options) {
    NOTSO_TRY(const std::vector<InstalledModel> models, installed_models(settings.models_dir));
    const auto chosen = choose_model(settings);
    if (options.json) {
        boost::json::array rows;
        for (const InstalledModel& model : models)
            rows.push_back({{"name", model.name},
                            {"path", model.path.string()},
                            {"bytes", model.size_bytes},
                            {"default", chosen && *chosen == model.path}});
        std::cout << boost::json::serialize(rows) << '\n';
        return kExitOk;
    }
    if (models.empty()) {
        std::cout << fmt::format("no models in {}\n", settings.models_dir.string());
        return kExitOk;
    }
    for (const InstalledModel& model : models) {
        const double megabytes = static_cast<double>(model.size_bytes) / 1e6;
        const bool is_default = chosen && *chosen == model.path;
        std::cout << fmt::format("{:<44} {:>9.1f} MB  {}{}\n",
                                 model.name,
                                 megabytes,
                                 model.path.string(),
                                 is_default ? "  (default)" : "");
    }
    return kExitOk;
}

}  // namespace

CommandBody declare_models(CLI::App& options) {
    auto values = std::make_shared<Options>();
    options.add_flag("--json", values->json, "print a JSON array");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app

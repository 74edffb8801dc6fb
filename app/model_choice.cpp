#include "app/model_choice.hpp"

#include <system_error>

#include "base/log.hpp"
#include "ml/device/resources.hpp"
#include "services/models/catalogue.hpp"

namespace notso::app {
namespace fs = std::filesystem;
namespace {

// Beside its weights a model needs its KV cache and working memory.
constexpr std::uint64_t kBesideWeightsBytes = 300ULL << 20;

constexpr std::string_view kHowToGet =
    "pass -m FILE.gguf, or fetch one with `notso pull smollm3`, models/download.sh or ./run.sh "
    "(SmolLM2-135M)";

bool looks_like_path(std::string_view text) {
    return text.find('/') != std::string_view::npos || text.ends_with(".gguf");
}

Result<fs::path> named_model(const Settings& settings) {
    const std::string& name = *settings.model;
    std::error_code ignored;
    if (fs::is_regular_file(name, ignored)) return fs::path(name);
    if (fs::is_directory(name, ignored))
        return fail(
            ErrorCode::kInvalidArgument, "model {} is a folder; name a .gguf file in it", name);
    if (fs::exists(name, ignored)) return fs::path(name);  // a pipe, a device: opening it says so
    if (!looks_like_path(name)) {
        const fs::path installed = settings.models_dir / (name + ".gguf");
        if (fs::is_regular_file(installed, ignored)) return installed;
        // A short name that `notso pull` takes means the file that it installs.
        if (const auto* entry = services::find_in_catalogue(name);
            entry != nullptr &&
            fs::is_regular_file(settings.models_dir / entry->file_name(), ignored))
            return settings.models_dir / entry->file_name();
        return fail(
            ErrorCode::kNotFound,
            "no model named {}: neither a file nor installed in {} (`notso models` lists them)",
            log::field(name),
            settings.models_dir.string());
    }
    // A bare FILE.gguf may also be meant as one of the models folder.
    if (name.find('/') == std::string::npos &&
        fs::is_regular_file(settings.models_dir / name, ignored))
        return settings.models_dir / name;
    return fail(ErrorCode::kNotFound, "model file {} does not exist; {}", name, kHowToGet);
}

}  // namespace

Result<std::vector<InstalledModel>> installed_models(const fs::path& models_dir) {
    std::vector<InstalledModel> models;
    std::error_code error;
    fs::directory_iterator entries(models_dir, error);
    if (error == std::errc::no_such_file_or_directory) return models;
    if (error)
        return fail(
            error == std::errc::permission_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo,
            "can't list the models folder {}: {}",
            models_dir.string(),
            error.message());
    for (const fs::directory_entry& entry : entries) {
        std::error_code ignored;
        if (entry.path().extension() != ".gguf" || !entry.is_regular_file(ignored)) continue;
        const auto size = entry.file_size(ignored);
        models.push_back({entry.path().stem().string(), entry.path(), ignored ? 0 : size});
    }
    std::ranges::sort(models, {}, &InstalledModel::name);
    return models;
}

Result<fs::path> choose_model(const Settings& settings, std::uint64_t memory_bytes) {
    if (settings.model) return named_model(settings);
    std::error_code ignored;
    if (const fs::path standard = settings.models_dir / "model.gguf";
        fs::is_regular_file(standard, ignored))
        return standard;
    NOTSO_TRY(const std::vector<InstalledModel> models, installed_models(settings.models_dir));
    if (models.empty())
        return fail(
            ErrorCode::kNotFound, "no model in {}; {}", settings.models_dir.string(), kHowToGet);
    const InstalledModel* best = nullptr;
    for (const InstalledModel& model : models) {
        if (model.size_bytes + kBesideWeightsBytes > memory_bytes) continue;
        if (best == nullptr || model.size_bytes > best->size_bytes) best = &model;
    }
    if (best == nullptr)
        return fail(ErrorCode::kOutOfMemory,
                    "none of the {} models in {} fits in the {} MiB of free memory; pass -m to try "
                    "one all the same",
                    models.size(),
                    settings.models_dir.string(),
                    memory_bytes >> 20);
    return best->path;
}

Result<fs::path> choose_model(const Settings& settings) {
    return choose_model(settings, ml::read_memory().available_bytes);
}

ml::LoadOptions load_options(const Settings& settings) {
    ml::LoadOptions options;
    options.n_threads = settings.threads;
    options.tokenizer_json = settings.tokenizer_json;
    options.context_length = settings.context;
    options.kv_type = settings.kv;
    options.kv_budget_bytes = static_cast<std::uint64_t>(settings.kv_memory_mb) * 1'000'000;
    return options;
}

}  // namespace notso::app

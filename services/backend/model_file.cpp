// See model_file.hpp.
#include "services/backend/model_file.hpp"

#include <algorithm>
#include <system_error>

#include "ml/device/resources.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/config.hpp"
#include "services/backend/model_name.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

Result<> describe_header(const ml::MemoryRequest& request, ModelFile& model) {
    NOTSO_TRY(const auto file, ml::gguf::File::open(model.path));
    NOTSO_TRY(const ml::ModelSpec spec, ml::read_spec(*file));
    NOTSO_TRY(const ml::MemoryPlan wished, ml::estimate_memory(*file, spec, request));
    NOTSO_TRY(const auto text, file->get_string("tokenizer.chat_template"));
    const std::string_view source = text.value_or("");
    const auto mentions = [source](std::string_view word) {
        return source.find(word) != std::string_view::npos;
    };
    const ml::ModelConfig& config = spec.config;
    // The context that it would get if nothing else were loaded.
    const auto fitting = ml::fit_memory(wished, config, request, ml::read_memory().total_bytes);
    model.memory_bytes = wished.total_bytes();
    model.info = {.id = model.info.id,
                  .name = model_display_name(model.info.id, config.file_type),
                  .file_type = config.file_type,
                  .architecture = config.architecture,
                  .context_length = fitting ? fitting->context_length : wished.context_length,
                  .n_parameters = config.n_parameters,
                  .weight_bytes = config.weight_bytes,
                  .can_think = mentions("<think>") || mentions("enable_thinking"),
                  .can_call_tools = mentions("tools")};
    return {};
}

}  // namespace

ModelFile describe_model(const fs::path& path, const ml::MemoryRequest& request) {
    ModelFile model{.path = path};
    std::error_code error;
    const auto size = fs::file_size(path, error);
    model.file_bytes = error ? 0 : size;
    model.info.id = model.info.name = path.stem().string();
    if (auto described = describe_header(request, model); !described) model.memory_bytes = 0;
    return model;
}

Result<std::vector<fs::path>> list_model_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error == std::errc::no_such_file_or_directory) return files;
    if (error)
        return fail(
            error == std::errc::permission_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo,
            "can't list the models folder {}: {}",
            folder.string(),
            error.message());
    for (const fs::directory_iterator end; entries != end; entries.increment(error)) {
        std::error_code ignored;
        if (entries->path().extension() == ".gguf" && entries->is_regular_file(ignored))
            files.push_back(entries->path());
        if (error) break;
    }
    std::ranges::sort(files, {}, [](const fs::path& path) { return path.stem(); });
    return files;
}

}  // namespace notso::services

#include "web/pages/models_view.hpp"

#include <algorithm>

#include "services/models/catalogue.hpp"
#include "web/pages/format.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::ModelEntry;
using services::ModelPlace;
using services::PullStage;
using services::PullStatus;

std::string place_label(const Language& language, const ModelEntry& entry) {
    switch (entry.place) {
        case ModelPlace::kOnDisk:
            return std::string(language.text("loaded when needed"));
        case ModelPlace::kLoading:
            return language.fill("loading {:.0f} %", entry.load_progress * 100);
        case ModelPlace::kReady:
            return std::string(language.text("ready"));
        case ModelPlace::kFailed:
            break;
    }
    return std::string(language.text("can’t be loaded"));
}

std::string facts(const Language& language, const ModelEntry& entry) {
    std::string text;
    if (entry.file_bytes > 0)
        text += language.fill("{} on disk, ", format_size(language, entry.file_bytes));
    if (entry.memory_bytes > 0)
        text += language.fill("{} in memory, ", format_size(language, entry.memory_bytes));
    return text + place_label(language, entry);
}

std::string stage_label(const Language& language, const PullStatus& status) {
    const services::PullProgress& progress = status.progress;
    if (progress.total == 0 || progress.stage == PullStage::kAsking)
        return std::string(language.text("Asking the server…"));
    const std::string amount = language.fill(
        "{} of {}", format_size(language, progress.done), format_size(language, progress.total));
    if (progress.stage == PullStage::kChecking) return language.fill("Checking, {}", amount);
    if (status.bytes_per_second <= 0) return amount;
    const double left =
        static_cast<double>(progress.total - progress.done) / status.bytes_per_second;
    return language.fill("{}, {}/s, {} left",
                         amount,
                         format_size(language, static_cast<std::uint64_t>(status.bytes_per_second)),
                         format_duration(language, left * 1000));
}

}  // namespace

json::array models_view(const Language& language,
                        const std::vector<ModelEntry>& models,
                        const std::string& chosen) {
    json::array view;
    for (std::size_t i = 0; i < models.size(); ++i) {
        const ModelEntry& entry = models[i];
        const bool is_default = i == 0;
        view.push_back(
            json::object{{"id", entry.info.id},
                         {"name", entry.info.name},
                         {"file_type", entry.info.file_type},
                         {"facts", facts(language, entry)},
                         {"error", format_sentence(language, entry.detail)},
                         {"is_default", is_default},
                         {"selected", chosen.empty() ? is_default : entry.info.id == chosen}});
    }
    return view;
}

json::object pull_view(const Language& language, const PullStatus& status) {
    using State = PullStatus::State;
    const services::PullProgress& progress = status.progress;
    const std::uint64_t percent = progress.total == 0 ? 0 : 100 * progress.done / progress.total;
    const bool ended_badly = status.state == State::kFailed || status.state == State::kCancelled;
    return {{"running", status.state == State::kRunning},
            {"installed", status.state == State::kInstalled},
            {"cancelled", status.state == State::kCancelled},
            {"file", status.file_name},
            {"percent", percent},
            {"label", stage_label(language, status)},
            {"note", format_sentence(language, status.note)},
            {"error", ended_badly ? format_sentence(language, status.error.detail) : ""}};
}

json::array catalogue_view(const Language& language, const std::vector<ModelEntry>& models) {
    json::array view;
    for (const services::CatalogueEntry& entry : services::model_catalogue()) {
        const bool installed = std::ranges::any_of(models, [&](const ModelEntry& model) {
            return model.info.id + ".gguf" == entry.file_name();
        });
        if (!installed)
            view.push_back(
                json::object{{"name", entry.name}, {"about", language.text(entry.about)}});
    }
    return view;
}

}  // namespace notso::web

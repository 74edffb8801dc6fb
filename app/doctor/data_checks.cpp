// The data directory, its database, and the models folder. Looks only: what is not there stays so.
#include <unistd.h>

#include "app/doctor/check.hpp"
#include "app/model_choice.hpp"
#include "base/bytes.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/sqlite.hpp"

namespace notso::app::doctor {
namespace {

namespace fs = std::filesystem;
namespace sqlite = services::sqlite;

constexpr std::uint64_t kLittleSpace = 200 * kMiB;
constexpr std::uint64_t kNoSpace = 2 * kMiB;

fs::path nearest_existing(fs::path path) {
    std::error_code ignored;
    path = fs::absolute(path, ignored);
    while (path.has_relative_path() && !fs::exists(path, ignored)) path = path.parent_path();
    return path;
}

Check check_database(const fs::path& file) {
    Check check{.name = "database"};
    const auto damage = [&]() -> Result<std::string> {
        NOTSO_TRY(const auto database, sqlite::Database::open(file));
        return database->query_text("PRAGMA quick_check(1)");
    }();
    if (damage && *damage == "ok") {
        check.detail = fmt::format("{} is sound", file.string());
        return check;
    }
    check.verdict = Verdict::kBroken;
    check.detail = damage ? fmt::format("{}: {}", file.string(), *damage) : damage.error().detail;
    check.advice = "put back a backup, or move the file away to start anew";
    return check;
}

/// The directory, and its database when no server holds it.
std::vector<Check> check_directory(const fs::path& path) {
    Check check{.name = "data directory", .detail = path.string()};
    std::error_code error;
    const fs::path there = nearest_existing(path);
    check.facts = {{"path", path.string()}, {"exists", there == fs::absolute(path, error)}};
    if (!fs::is_directory(there, error) || ::access(there.c_str(), W_OK | X_OK) != 0) {
        check.verdict = Verdict::kBroken;
        check.detail = fmt::format("{} is not a folder that can be written", there.string());
        check.advice = "make it writable, or choose another --data-dir";
        return {check};
    }
    const fs::space_info space = fs::space(there, error);
    if (!error) {
        check.facts["free_bytes"] = space.available;
        check.detail += fmt::format(", {} MiB of disk free", space.available / kMiB);
        if (space.available < kLittleSpace) {
            check.verdict = space.available < kNoSpace ? Verdict::kBroken : Verdict::kWarning;
            check.advice = "free some disk space: conversations can't be saved without it";
        }
    }
    if (!fs::is_directory(path, error)) {
        check.detail += ", will be created";
        return {check};
    }
    const auto held = services::DataDirectory::open(path);
    if (held) {
        const fs::path file = path / "notso.db";
        if (!fs::exists(file, error)) return {check};
        return {check, check_database(file)};
    }
    if (held.error().code == ErrorCode::kBusy) {  // that is how it should be while a server runs
        check.detail = held.error().detail;
        check.facts["in_use"] = true;
        return {check};
    }
    check.verdict = Verdict::kBroken;
    check.detail = held.error().detail;
    return {check};
}

Check check_sqlite() {
    const std::string_view version = sqlite::library_version();
    Check check{.name = "SQLite", .detail = std::string(version), .facts = {{"version", version}}};
    constexpr int kFixed = 3051003;
    if (sqlite::library_version_number() < kFixed) {
        check.verdict = Verdict::kWarning;
        check.detail +=
            " can damage a database that two connections write at the same moment; "
            "notso itself uses one connection only";
        check.advice =
            "don't open notso.db with another program while notso runs; 3.51.3 has it "
            "fixed";
    }
    return check;
}

Check check_models(const Settings& settings) {
    Check check{.name = "models"};
    const auto models = installed_models(settings.models_dir);
    if (!models) {
        check.verdict = Verdict::kBroken;
        check.detail = models.error().detail;
        check.advice = "make the folder readable, or choose another --models-dir";
        return check;
    }
    check.facts = {{"models_dir", settings.models_dir.string()}, {"count", models->size()}};
    const auto chosen = choose_model(settings);
    if (chosen) {
        check.detail = fmt::format("{} in {}; {} would run",
                                   models->size(),
                                   settings.models_dir.string(),
                                   chosen->filename().string());
        check.facts["chosen"] = chosen->string();
        return check;
    }
    check.verdict = settings.model ? Verdict::kBroken : Verdict::kWarning;
    check.detail = chosen.error().detail;
    check.advice = "see `notso models`";
    return check;
}

}  // namespace

std::vector<Check> check_data(const Settings& settings) {
    std::vector<Check> checks = check_directory(settings.data_dir);
    checks.push_back(check_sqlite());
    checks.push_back(check_models(settings));
    return checks;
}

}  // namespace notso::app::doctor

// notso backup, export, import, restore: the conversations as files. The first three go through the
// server where one runs.
#include <iostream>

#include "app/commands/command.hpp"
#include "app/control.hpp"
#include "services/archive/archive_desk.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/restore.hpp"

namespace notso::app {
namespace {

namespace fs = std::filesystem;
using services::ArchiveAction;
using services::ArchiveOrder;

struct Options {
    std::string file;
    std::string format = "json";
};

Result<std::string> carry_out(const Settings& settings, const ArchiveOrder& order) {
    const auto directory = services::DataDirectory::open(settings.data_dir);
    if (!directory && directory.error().code == ErrorCode::kBusy) {
        auto done = ask_server(settings.data_dir, order);
        if (done || done.error().code != ErrorCode::kUnavailable) return done;
        return fail(ErrorCode::kBusy, "{}; {}", directory.error().detail, done.error().detail);
    }
    if (!directory) return std::unexpected(directory.error());
    NOTSO_TRY(const auto store, directory->open_store());
    services::DirectGate gate(*store);
    return services::carry_out(gate, order);
}

Result<int> run(const Settings& settings, ArchiveAction action, const Options& options) {
    std::error_code error;
    const fs::path path = fs::absolute(options.file, error);
    if (error) return fail(ErrorCode::kInvalidArgument, "{}: {}", options.file, error.message());
    NOTSO_TRY(const auto format, services::parse_archive_format(options.format));
    NOTSO_TRY(const std::string done,
              carry_out(settings, {action, path, services::local_owner(), format}));
    std::cout << done << '\n';
    return kExitOk;
}

CommandBody declare(OptionList& options, ArchiveAction action, const char* help) {
    auto values = std::make_shared<Options>();
    options.required_text("FILE", values->file, help);
    if (action == ArchiveAction::kExport) {
        options.choice("--format",
                       values->format,
                       {"json", "md"},
                       "json: everything, to be imported again; md: what is shown");
    }
    return [values, action](const Settings& settings) { return run(settings, action, *values); };
}

Result<int> restore(const Settings& settings, const std::string& file) {
    NOTSO_TRY(const fs::path old, services::restore_backup(file, settings.data_dir));
    std::cout << fmt::format("{} restored", file);
    if (!old.empty()) std::cout << fmt::format("; what was there is now {}", old.string());
    std::cout << '\n';
    return kExitOk;
}

}  // namespace

CommandBody declare_backup(OptionList& options) {
    return declare(options, ArchiveAction::kBackup, "the new file");
}

CommandBody declare_export(OptionList& options) {
    return declare(options, ArchiveAction::kExport, "the new file");
}

CommandBody declare_import(OptionList& options) {
    return declare(options, ArchiveAction::kImport, "an export of notso, ChatGPT or Open WebUI");
}

CommandBody declare_restore(OptionList& options) {
    auto file = std::make_shared<std::string>();
    options.required_text("FILE", *file, "a file that notso backup wrote");
    return [file](const Settings& settings) { return restore(settings, *file); };
}

}  // namespace notso::app

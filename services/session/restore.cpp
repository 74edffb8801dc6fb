#include "services/session/restore.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "base/clock.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/sqlite.hpp"
#include "services/session/sqlite_schema.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kParts = {"", "-wal", "-shm"};

std::unexpected<Error> io_failure(const fs::path& path, const std::error_code& error) {
    return fail(ErrorCode::kIo, "{}: {}", path.string(), error.message());
}

/// Of the copy: looking into the backup itself could change it.
Result<> check_copy(const fs::path& copy, const fs::path& backup) {
    NOTSO_TRY(const auto database, sqlite::Database::open(copy));
    const auto layout = database->query_integer("PRAGMA user_version");
    if (!layout || *layout < 1) {
        return fail(ErrorCode::kCorruptData,
                    "{} is no backup of notso: nothing was changed",
                    backup.string());
    }
    if (*layout > newest_schema_version()) {
        return fail(ErrorCode::kUnsupported,
                    "{} has layout {}, made by a newer notso; this one knows up to {}: update "
                    "notso; nothing was changed",
                    backup.string(),
                    *layout,
                    newest_schema_version());
    }
    for (const char* check : {"PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"}) {
        const auto found = database->query_text(check);
        if (found && (found->empty() || *found == "ok")) continue;
        return fail(ErrorCode::kCorruptData,
                    "{} is damaged ({}): nothing was changed",
                    backup.string(),
                    found ? *found : found.error().detail);
    }
    return database->execute("PRAGMA journal_mode = DELETE");
}

/// The old database is moved away only when the new one is on the disk.
Result<> sync(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const std::error_code error(errno, std::generic_category());
    if (fd >= 0) ::close(fd);
    if (!synced) return io_failure(path, error);
    return {};
}

void remove_all_parts(const fs::path& database) {
    std::error_code ignored;
    for (const char* part : kParts) fs::remove(database.string() + part, ignored);
}

fs::path name_for_old(const fs::path& database) {
    const std::time_t seconds = now_ms() / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts);
    std::string name = database.string() + ".before-" + std::string(text.data(), size);
    std::error_code ignored;
    while (fs::exists(name, ignored)) name += "x";
    return name;
}

/// With its log, which may have what is not in the file yet.
Result<fs::path> move_away(const fs::path& database) {
    std::error_code error;
    if (!fs::exists(database, error)) return fs::path();
    const fs::path old = name_for_old(database);
    for (const char* part : kParts) {
        const fs::path from = database.string() + part;
        if (!fs::exists(from, error)) continue;
        fs::rename(from, old.string() + part, error);
        if (error) return io_failure(from, error);
    }
    return old;
}

}  // namespace

Result<fs::path> restore_backup(const fs::path& backup, const fs::path& data_directory) {
    std::error_code error;
    if (!fs::is_regular_file(backup, error))
        return fail(ErrorCode::kNotFound, "{} is not there, or no file", backup.string());
    NOTSO_TRY(const DataDirectory directory, DataDirectory::open(data_directory));
    const fs::path database = directory.path() / "notso.db";
    const fs::path copy = database.string() + ".restoring";
    remove_all_parts(copy);
    fs::copy_file(backup, copy, error);
    if (error) return io_failure(copy, error);
    fs::permissions(copy, fs::perms::owner_read | fs::perms::owner_write, error);
    Result<> checked = check_copy(copy, backup);
    if (checked) checked = sync(copy);
    if (!checked) {
        remove_all_parts(copy);
        return std::unexpected(std::move(checked).error());
    }
    NOTSO_TRY(fs::path old, move_away(database));
    fs::rename(copy, database, error);
    if (error) return io_failure(database, error);
    return old;
}

}  // namespace notso::services

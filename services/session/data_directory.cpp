#include "services/session/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "base/log.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> system_failure(const fs::path& path, const char* verb, int error_number) {
    const bool denied = error_number == EACCES || error_number == EPERM || error_number == EROFS;
    const bool full = error_number == ENOSPC || error_number == EDQUOT;
    const bool blocked =
        error_number == ENOTDIR || error_number == EEXIST || error_number == EISDIR;
    const char* advice = "check the path, or choose another --data-dir";
    if (denied) advice = "make it writable, or choose another --data-dir";
    if (full) advice = "free some disk space";
    if (blocked) advice = "a file stands in the way: move it, or choose another --data-dir";
    ErrorCode code = ErrorCode::kIo;
    if (denied) code = ErrorCode::kPermissionDenied;
    if (blocked) code = ErrorCode::kInvalidArgument;
    return fail(code,
                "data directory {} can't be {}: {}; {}",
                path.string(),
                verb,
                std::generic_category().message(error_number),
                advice);
}

Result<> make_directory(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return {};
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
    if (error) return system_failure(path, "created", error.value());
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    if (errno == EEXIST && fs::is_directory(path, error)) return {};  // another process was quicker
    return system_failure(path, "created", errno);
}

std::string read_holder(int fd) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    std::string pid(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return pid.substr(0, pid.find_first_not_of("0123456789"));
}

// For people and for the process that is refused; the lock itself is the system's.
void write_holder(int fd, const fs::path& path) {
    const std::string pid = std::to_string(::getpid()) + "\n";
    const bool written = ::ftruncate(fd, 0) == 0 && ::pwrite(fd, pid.data(), pid.size(), 0) ==
                                                        static_cast<ssize_t>(pid.size());
    if (!written) log::warn("the lock in {} does not name this process", path.string());
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const fs::path& path) {
    NOTSO_CHECK(make_directory(path));
    const fs::path lock_path = path / "notso.lock";
    const int fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return system_failure(path, "locked", errno);
    DataDirectory directory(path, fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return system_failure(path, "locked", errno);
        const std::string pid = read_holder(fd);
        return fail(
            ErrorCode::kBusy,
            "data directory {} is in use by process {}: stop it, or choose another --data-dir",
            path.string(),
            pid.empty() ? "(unknown)" : pid);
    }
    write_holder(fd, path);
    return directory;
}

DataDirectory::~DataDirectory() {
    if (lock_fd_ >= 0) ::close(lock_fd_);
}

Result<std::unique_ptr<SqliteStore>> DataDirectory::open_store(SqliteOptions options) const {
    return SqliteStore::open(path_ / "notso.db", options);
}

}  // namespace notso::services

// DataDirectory: the folder with everything that must not be lost, held by one process at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "base/result.hpp"
#include "services/session/sqlite_store.hpp"

namespace notso::services {

/// Holds the lock on `notso.lock` for as long as it lives; the system frees it when the process
/// dies.
class DataDirectory {
  public:
    /// Creates the directory (readable by its owner only) when it is not there, and locks it.
    /// @errors kBusy names the process that holds it; kPermissionDenied, kInvalidArgument (a file
    /// is in the way), kIo.
    static Result<DataDirectory> open(const std::filesystem::path& path);

    DataDirectory(DataDirectory&& other) noexcept
        : path_(std::move(other.path_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}
    DataDirectory& operator=(DataDirectory&&) = delete;
    ~DataDirectory();

    const std::filesystem::path& path() const { return path_; }
    /// Opens `notso.db` in it. The directory must outlive the store.
    Result<std::unique_ptr<SqliteStore>> open_store(SqliteOptions options = {}) const;

  private:
    DataDirectory(std::filesystem::path path, int lock_fd)
        : path_(std::move(path)), lock_fd_(lock_fd) {}

    std::filesystem::path path_;
    int lock_fd_ = -1;
};

}  // namespace notso::services

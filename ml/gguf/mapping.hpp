// Mapping: a regular file, opened once, readable by offset and mapped for reading. Owns the
// descriptor and the map.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/result.hpp"

namespace notso::ml::gguf {

/// Immutable; safe to use from many threads.
class Mapping {
  public:
    /// Opens and maps a file read-only.
    /// @errors kNotFound, kPermissionDenied, kIo (a folder or a device is kIo too).
    static Result<std::unique_ptr<Mapping>> open(const std::filesystem::path& path);

    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping();

    std::uint64_t size() const noexcept { return size_; }

    /// The whole file. Touching bytes that another process has cut off meanwhile kills this one
    /// (SIGBUS): whoever reads much calls check_whole() first.
    std::span<const std::byte> bytes() const noexcept {
        return {static_cast<const std::byte*>(map_), static_cast<std::size_t>(size_)};
    }

    /// Copies bytes by read(2), which can't fault. @errors kIo when they are not there any more.
    Result<> read(std::uint64_t offset, std::span<std::byte> out) const;

    /// @errors kIo when the file now has another length than when it was opened, or was written to
    /// since.
    Result<> check_whole() const;

  private:
    Mapping(int fd, void* map, const struct stat& status)
        : fd_(fd),
          map_(map),
          size_(static_cast<std::uint64_t>(status.st_size)),
          written_(status.st_mtim) {}

    int fd_;
    void* map_;  // null for an empty file
    std::uint64_t size_;
    timespec written_;  // when somebody last wrote to the file
};

}  // namespace notso::ml::gguf

// MemoryFile: bytes that can be opened as a regular file, without a disk. Test code only.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

namespace notso::test {

/// One file whose content is replaced as often as needed.
class MemoryFile {
  public:
    MemoryFile() : fd_(::memfd_create("notso-test", MFD_CLOEXEC)) {
        if (fd_ < 0) std::abort();
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { ::close(fd_); }

    std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

    void assign(std::span<const std::byte> bytes) const {
        if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) std::abort();
        while (!bytes.empty()) {
            const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
            if (n <= 0) std::abort();
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
    }

  private:
    int fd_;
};

}  // namespace notso::test

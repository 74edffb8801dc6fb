#include "app/row_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace notso::app {

Result<RowFile> RowFile::create(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(ErrorCode::kIo, "--out: can't write {}: {}", path, std::strerror(errno));
    return RowFile(fd, path);
}

RowFile::RowFile(RowFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

RowFile::~RowFile() {
    if (fd_ >= 0) ::close(fd_);
}

Result<> RowFile::write(std::span<const float> values) {
    std::span<const std::byte> bytes = std::as_bytes(values);
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
        if (wrote < 0)
            return fail(ErrorCode::kIo, "--out: can't write {}: {}", path_, std::strerror(errno));
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
}

}  // namespace notso::app

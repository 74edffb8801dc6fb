#include "app/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace notso::app {

Result<std::string> read_input(const std::string& path, std::size_t max_bytes) {
    const bool from_stdin = path == "-";
    const int fd = from_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                    "{}: {}",
                    path,
                    std::strerror(errno));
    std::string content;
    std::string buffer(1 << 16, '\0');
    ssize_t got = 0;
    while ((got = ::read(fd, buffer.data(), buffer.size())) > 0 && content.size() <= max_bytes)
        content.append(buffer, 0, static_cast<std::size_t>(got));
    const int error = errno;
    if (!from_stdin) ::close(fd);
    if (got < 0) return fail(ErrorCode::kIo, "{}: {}", path, std::strerror(error));
    if (content.size() > max_bytes)
        return fail(ErrorCode::kTooLarge, "{}: more than {} MiB", path, max_bytes >> 20);
    return content;
}

}  // namespace notso::app

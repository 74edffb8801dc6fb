#include "web/http/upload_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace notso::web {

Result<std::unique_ptr<UploadFile>> UploadFile::create(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(
            ErrorCode::kIo, "the file can't be stored: {}", std::generic_category().message(errno));
    return std::unique_ptr<UploadFile>(new UploadFile(path, fd));
}

UploadFile::~UploadFile() {
    ::close(fd_);
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

Result<> UploadFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            return fail(ErrorCode::kIo,
                        "the file can't be stored: {}: free some disk space and try again",
                        std::generic_category().message(errno));
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace notso::web

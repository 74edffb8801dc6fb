#include "ml/gguf/mapping.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace notso::ml::gguf {
namespace {

std::unexpected<Error> system_failure(std::string_view what, int error) {
    ErrorCode code = ErrorCode::kIo;
    if (error == ENOENT || error == ENOTDIR) code = ErrorCode::kNotFound;
    if (error == EACCES || error == EPERM) code = ErrorCode::kPermissionDenied;
    return fail(code, "{}: {}", what, std::generic_category().message(error));
}

/// Closes a descriptor unless it was given away.
class Descriptor {
  public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

}  // namespace

Result<std::unique_ptr<Mapping>> Mapping::open(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a pipe must not wait for a writer.
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0) return system_failure("cannot open the file", errno);
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return system_failure("cannot read its size", errno);
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kIo, "not a regular file");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    void* map = nullptr;
    if (size > 0) {
        map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
        if (map == MAP_FAILED) return system_failure("cannot map the file", errno);
    }
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return std::unique_ptr<Mapping>(new Mapping(fd.release(), map, status));
}

Mapping::~Mapping() {
    if (map_ != nullptr) ::munmap(map_, size_);
    ::close(fd_);
}

Result<> Mapping::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const ssize_t n = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_failure("cannot read the file", errno);
        if (n == 0) {
            return fail(ErrorCode::kIo,
                        "the file ends at byte {} now: it was cut while it was read; load it again "
                        "when it is whole",
                        offset);
        }
        out = out.subspan(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
    return {};
}

Result<> Mapping::check_whole() const {
    struct stat status{};
    if (::fstat(fd_, &status) != 0) return system_failure("cannot read its size", errno);
    if (static_cast<std::uint64_t>(status.st_size) != size_) {
        return fail(ErrorCode::kIo,
                    "the file had {} bytes when it was opened and has {} now: load it again when "
                    "it is whole",
                    size_,
                    status.st_size);
    }
    if (status.st_mtim.tv_sec != written_.tv_sec || status.st_mtim.tv_nsec != written_.tv_nsec) {
        return fail(ErrorCode::kIo,
                    "somebody wrote to the file while it was open: load it again when it is whole");
    }
    return {};
}

}  // namespace notso::ml::gguf

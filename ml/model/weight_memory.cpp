#include "ml/model/weight_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace notso::ml {
namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;

ErrorCode code_of(int error) {
    if (error == ENOENT || error == ENOTDIR) return ErrorCode::kNotFound;
    if (error == EACCES || error == EPERM) return ErrorCode::kPermissionDenied;
    return ErrorCode::kIo;
}

}  // namespace

Result<WeightMemory> WeightMemory::allocate(std::uint64_t bytes) {
    const std::size_t size = (bytes + kLargePage - 1) / kLargePage * kLargePage;
    void* data = mmap(
        nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) {
        return fail(ErrorCode::kOutOfMemory, "the system refused {} MiB for weights", bytes >> 20);
    }
    madvise(data,
            size,
            MADV_HUGEPAGE);  // a wish; without large pages everything works, somewhat slower
    WeightMemory memory;
    memory.data_ = static_cast<std::byte*>(data);
    memory.size_ = size;
    return memory;
}

WeightMemory::WeightMemory(WeightMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

WeightMemory& WeightMemory::operator=(WeightMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

WeightMemory::~WeightMemory() {
    if (data_ != nullptr) munmap(data_, size_);
}

Result<FileReader> FileReader::open(const std::filesystem::path& path,
                                    std::uint64_t expected_bytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(code_of(errno), "{}: {}", path.string(), std::strerror(errno));
    FileReader reader(fd, path);
    struct stat status{};
    if (fstat(fd, &status) != 0)
        return fail(ErrorCode::kIo, "{}: {}", path.string(), std::strerror(errno));
    if (static_cast<std::uint64_t>(status.st_size) != expected_bytes) {
        return fail(ErrorCode::kCorruptData,
                    "{} changed while it was loaded: it had {} bytes, now it has {}",
                    path.string(),
                    expected_bytes,
                    status.st_size);
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return reader;
}

FileReader::FileReader(FileReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

FileReader::~FileReader() {
    if (fd_ >= 0) close(fd_);
}

Result<> FileReader::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const ssize_t n = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return fail(
                ErrorCode::kIo, "{} at byte {}: {}", path_.string(), offset, std::strerror(errno));
        if (n == 0) {
            return fail(
                ErrorCode::kCorruptData,
                "{} ends at byte {}, in the middle of its weights: it was cut while it was loaded",
                path_.string(),
                offset);
        }
        out = out.subspan(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
    return {};
}

}  // namespace notso::ml

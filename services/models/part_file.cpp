// See part_file.hpp. The state is written before the first byte, whole or not at all (rename), so a
// part never belongs to another file than its state says.
#include "services/models/part_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>
#include <utility>

namespace notso::services {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kMaxStateBytes = 16 << 10;
constexpr int kLockTries = 10;

std::unexpected<Error> part_failure(const fs::path& path, const char* verb, int number) {
    const bool full = number == ENOSPC || number == EDQUOT;
    const bool denied = number == EACCES || number == EPERM || number == EROFS;
    const char* advice = "";
    if (full) advice = "; free some disk space and start again, what arrived is kept";
    if (number == EFBIG) advice = "; the system limits the size of files (ulimit -f)";
    if (denied) advice = "; make the folder writable, or choose another --models-dir";
    return fail(denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo,
                "{} can't be {}: {}{}",
                path.string(),
                verb,
                std::generic_category().message(number),
                advice);
}

/// Whether `path` still names the file behind `fd`: it may have been installed or removed between
/// open and lock.
bool names_same_file(const fs::path& path, int fd) {
    struct stat by_name{};
    struct stat by_fd{};
    return ::lstat(path.c_str(), &by_name) == 0 && ::fstat(fd, &by_fd) == 0 &&
           by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev;
}

Result<> sync_folder(const fs::path& folder) {
    const int fd =
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (synced || error == EINVAL) return {};  // some file systems can't sync folders
    return part_failure(folder, "synced", error);
}

int rename_to_free_name(const fs::path& from, const fs::path& to) {
    const int renamed = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
    if (renamed == 0 || (errno != EINVAL && errno != ENOSYS)) return renamed;
    // A file system that can't refuse by itself: look, then rename.
    std::error_code ignored;
    if (fs::exists(to, ignored)) {
        errno = EEXIST;
        return -1;
    }
    return ::rename(from.c_str(), to.c_str());
}

/// @return 0, or why not all was written; `written` counts what was.
int write_all(int fd, std::span<const std::byte> bytes, std::uint64_t& written) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : ENOSPC;
        written += static_cast<std::uint64_t>(n);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return 0;
}

}  // namespace

Result<PartFile> PartFile::open(const fs::path& target) {
    const fs::path path = target.string() + ".part";
    for (int i = 0; i < kLockTries; ++i) {
        const int fd =
            ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0) return part_failure(path, "opened", errno);
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            ::close(fd);
            if (error != EWOULDBLOCK) return part_failure(path, "locked", error);
            return fail(ErrorCode::kBusy,
                        "{} is being fetched already; wait for it, or stop the other one",
                        target.filename().string());
        }
        PartFile part(target, fd);
        if (names_same_file(path, fd)) {
            part.load_state();
            return part;
        }
        ::close(std::exchange(part.fd_, -1));
    }
    return fail(ErrorCode::kBusy, "{} changes all the time; try again later", path.string());
}

PartFile::PartFile(fs::path target, int fd)
    : target_(std::move(target)), path_(target_.string() + ".part"), fd_(fd) {}

PartFile::PartFile(PartFile&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      bytes_(other.bytes_),
      state_(std::move(other.state_)) {}

PartFile::~PartFile() {
    if (fd_ < 0) return;
    if (bytes_ == 0) discard();
    if (fd_ >= 0) ::close(fd_);
}

fs::path PartFile::state_path() const { return path_.string() + ".json"; }

void PartFile::load_state() {
    struct stat status{};
    if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return;
    bytes_ = static_cast<std::uint64_t>(status.st_size);
    std::ifstream in(state_path(), std::ios::binary);
    std::string text(kMaxStateBytes, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    if (error || !value.is_object()) return;
    const json::object& fields = value.get_object();
    const json::value* url = fields.if_contains("url");
    const json::value* etag = fields.if_contains("etag");
    const json::value* size = fields.if_contains("size");
    if (url == nullptr || !url->is_string() || etag == nullptr || !etag->is_string() ||
        size == nullptr || !size->is_int64() || size->get_int64() <= 0)
        return;
    const auto whole = static_cast<std::uint64_t>(size->get_int64());
    if (bytes_ > whole) return;
    state_ = {std::string(url->get_string()), std::string(etag->get_string()), whole};
}

Result<> PartFile::empty() {
    state_ = {};
    // No state before the bytes are gone: a crash in between leaves bytes that belong to nothing.
    if (::unlink(state_path().c_str()) != 0 && errno != ENOENT)
        return part_failure(state_path(), "removed", errno);
    if (::ftruncate(fd_, 0) != 0) return part_failure(path_, "emptied", errno);
    bytes_ = 0;
    return {};
}

Result<> PartFile::begin(PartState state) {
    NOTSO_CHECK(empty());
    const std::string text = json::serialize(
        json::object{{"url", state.url}, {"etag", state.etag}, {"size", state.size}});
    const fs::path fresh = state_path().string() + ".new";
    const int fd =
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return part_failure(fresh, "created", errno);
    std::uint64_t written = 0;
    const int error = write_all(fd, std::as_bytes(std::span(text)), written);
    ::close(fd);
    if (error != 0) return part_failure(fresh, "written", error);
    if (::rename(fresh.c_str(), state_path().c_str()) != 0)
        return part_failure(state_path(), "written", errno);
    state_ = std::move(state);
    return {};
}

Result<> PartFile::append(std::span<const std::byte> bytes) {
    const int error = write_all(fd_, bytes, bytes_);
    if (error != 0) return part_failure(path_, "written", error);
    return {};
}

Result<std::string> PartFile::read_start(std::size_t count) const {
    std::string text(std::min<std::uint64_t>(count, bytes_), '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        const ssize_t n =
            ::pread(fd_, text.data() + have, text.size() - have, static_cast<off_t>(have));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return part_failure(path_, "read", errno);
        if (n == 0) break;
        have += static_cast<std::size_t>(n);
    }
    text.resize(have);
    return text;
}

Result<> PartFile::install() {
    if (::fsync(fd_) != 0) return part_failure(path_, "synced", errno);
    if (rename_to_free_name(path_, target_) != 0) {
        if (errno == EEXIST)
            return fail(ErrorCode::kAlreadyExists,
                        "{} appeared while it was fetched; it was left as it is",
                        target_.string());
        return part_failure(target_, "named", errno);
    }
    ::unlink(state_path().c_str());
    ::close(std::exchange(fd_, -1));
    return sync_folder(target_.parent_path());
}

void PartFile::discard() {
    if (fd_ < 0) return;
    ::unlink(state_path().c_str());
    ::unlink(path_.c_str());
    bytes_ = 0;
    state_ = {};
    ::close(std::exchange(fd_, -1));
}

}  // namespace notso::services

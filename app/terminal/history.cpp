#include "app/terminal/history.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "app/answer.hpp"
#include "base/random.hpp"

namespace notso::app {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> failure(const fs::path& path, int error_number) {
    const bool denied = error_number == EACCES || error_number == EPERM || error_number == EROFS;
    return fail(denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo,
                "the history is not kept: {}: {}; --no-history goes without",
                path.string(),
                std::generic_category().message(error_number));
}

/// Closes it at the end.
class File {
  public:
    File(const fs::path& path, int flags)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int fd() const { return fd_; }

    /// What it is opened for: a file, and nobody else's business.
    bool is_private_file() const {
        struct stat about{};
        if (fd_ < 0 || ::fstat(fd_, &about) != 0) return false;
        return S_ISREG(about.st_mode) && ::fchmod(fd_, 0600) == 0;
    }

  private:
    int fd_;
};

/// On one line: a line break is "\n", a backslash "\\".
std::string as_line(std::string_view entry) {
    std::string line;
    for (const char byte : entry) {
        if (byte == '\\') line += "\\\\";
        if (byte == '\n') line += "\\n";
        if (byte != '\\' && byte != '\n') line += byte;
    }
    return line + '\n';
}

std::string as_entry(std::string_view line) {
    std::string entry;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool escaped = line[i] == '\\' && i + 1 < line.size();
        if (escaped) ++i;
        entry += escaped && line[i] == 'n' ? '\n' : line[i];
    }
    return terminal_safe(entry);  // another program may have written there
}

Result<> write_all(const File& file, const fs::path& path, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(file.fd(), bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return failure(path, errno);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

/// The last bytes of a file, at most `most`, from the beginning of a line on.
Result<std::string> read_end(const File& file, const fs::path& path, std::size_t most) {
    const off_t size = ::lseek(file.fd(), 0, SEEK_END);
    if (size < 0) return failure(path, errno);
    const off_t begin = std::cmp_greater(size, most) ? size - static_cast<off_t>(most) : 0;
    std::string bytes(static_cast<std::size_t>(size - begin), '\0');
    const ssize_t got = ::pread(file.fd(), bytes.data(), bytes.size(), begin);
    if (got < 0) return failure(path, errno);
    bytes.resize(static_cast<std::size_t>(got));
    if (begin > 0) bytes.erase(0, std::min(bytes.find('\n'), bytes.size() - 1) + 1);
    return bytes;
}

}  // namespace

Result<std::vector<std::string>> History::load() {
    std::vector<std::string> entries;
    const File file(path_, O_RDONLY);
    if (file.fd() < 0 && errno == ENOENT) return entries;
    if (!file.is_private_file()) {
        broken_ = true;
        return failure(path_, file.fd() < 0 ? errno : EINVAL);
    }
    NOTSO_TRY(const std::string bytes, read_end(file, path_, 2 * kMaxFileBytes));
    std::string_view left = bytes;
    for (std::size_t end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
        std::string entry = as_entry(left.substr(0, end));
        left.remove_prefix(end + 1);
        if (!entry.empty() && entry.size() <= kMaxEntryBytes) entries.push_back(std::move(entry));
    }
    if (entries.size() > kMaxEntries)
        entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(kMaxEntries));
    if (!entries.empty()) last_ = entries.back();
    if (bytes.size() > kMaxFileBytes) NOTSO_CHECK(rewrite(entries));
    return entries;
}

Result<> History::add(const std::string& entry) {
    if (broken_ || entry.empty() || entry == last_ || entry.size() > kMaxEntryBytes) return {};
    last_ = entry;
    Result<> added = append(as_line(entry));
    broken_ = !added;
    return added;
}

/// In one write, so that entries of two programs don't mix.
Result<> History::append(const std::string& line) {
    std::error_code error;
    const fs::path folder = path_.parent_path();
    if (!fs::is_directory(folder, error)) {
        fs::create_directories(folder.parent_path(), error);
        if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failure(folder, errno);
    }
    const File file(path_, O_WRONLY | O_APPEND | O_CREAT);
    if (!file.is_private_file()) return failure(path_, file.fd() < 0 ? errno : EINVAL);
    return write_all(file, path_, line);
}

/// The old file or the new one is there at every moment.
Result<> History::rewrite(const std::vector<std::string>& entries) {
    const fs::path fresh = path_.string() + "." + random_id();
    std::string bytes;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        const std::string line = as_line(*entry);
        if (bytes.size() + line.size() > kMaxFileBytes / 2) break;
        bytes.insert(0, line);
    }
    Result<> written;
    {
        const File file(fresh, O_WRONLY | O_CREAT | O_EXCL);
        written = file.fd() < 0 ? failure(fresh, errno) : write_all(file, fresh, bytes);
    }
    if (written && ::rename(fresh.c_str(), path_.c_str()) != 0) written = failure(path_, errno);
    if (!written) ::unlink(fresh.c_str());
    return written;
}

}  // namespace notso::app

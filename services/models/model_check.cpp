// See model_check.hpp.
#include "services/models/model_check.hpp"

#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "ml/device/resources.hpp"
#include "ml/gguf/file.hpp"
#include "ml/gguf/header.hpp"
#include "ml/model/config.hpp"
#include "ml/model/memory_plan.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;
namespace gguf = ml::gguf;

constexpr std::string_view kGgufMagic = "GGUF";
constexpr std::uint64_t kDiskMargin = 128 * kMiB;  // conversations and logs go on being written
constexpr std::uint64_t kMaxHeader = 32 * kMiB;    // as gguf::File::open

Result<std::uint64_t> free_disk(const fs::path& folder) {
    struct statvfs status{};
    if (::statvfs(folder.c_str(), &status) != 0)
        return fail(ErrorCode::kIo,
                    "can't tell how much room {} has: {}",
                    folder.string(),
                    std::strerror(errno));
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<> check_magic(std::string_view start) {
    if (start.substr(0, kGgufMagic.size()) == kGgufMagic) return {};
    constexpr std::size_t kShown = 24;
    return fail(ErrorCode::kCorruptData,
                "this is no GGUF file: it begins with {}",
                log::field(start.substr(0, kShown)));
}

Result<ModelNeeds> needs_of(const gguf::File& file, const MachineRoom& room) {
    NOTSO_TRY(const ml::ModelSpec spec, ml::read_spec(file));
    NOTSO_TRY(const ml::MemoryPlan plan, ml::estimate_memory(file, spec, {}));
    const auto fitting = ml::fit_memory(plan, spec.config, {}, room.memory_bytes());
    if (!fitting)
        return fail(fitting.error().code,
                    "this machine has too little memory for it: {}",
                    fitting.error().detail);
    return ModelNeeds{plan.total_bytes(), plan.to_string()};
}

/// A file in memory that has the given start and length; the rest is a hole that takes no memory.
class ShapeOfFile {
  public:
    ShapeOfFile(std::string_view start, std::uint64_t size)
        : fd_(::memfd_create("notso-header", MFD_CLOEXEC)) {
        good_ = fd_ >= 0 && ::ftruncate(fd_, static_cast<off_t>(size)) == 0 &&
                ::pwrite(fd_, start.data(), start.size(), 0) == std::ssize(start);
    }
    ShapeOfFile(const ShapeOfFile&) = delete;
    ShapeOfFile& operator=(const ShapeOfFile&) = delete;
    ~ShapeOfFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    bool good() const { return good_; }
    std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

  private:
    int fd_;
    bool good_ = false;
};

/// Messages name the file they are about; here that is a number in /proc, which helps nobody.
Error without_path(Error error, const std::string& path) {
    if (error.detail.starts_with(path + ": ")) error.detail.erase(0, path.size() + 2);
    return error;
}

}  // namespace

MachineRoom this_machine() {
    return {free_disk, [] { return ml::read_memory().total_bytes; }};
}

Result<> check_disk(const MachineRoom& room, const fs::path& folder, std::uint64_t needed) {
    NOTSO_TRY(const std::uint64_t free, room.disk_bytes(folder));
    if (free >= kDiskMargin && free - kDiskMargin >= needed) return {};
    return fail(ErrorCode::kTooLarge,
                "{} more are needed in {} and {} should stay free there; {} are free",
                mebibytes(needed),
                folder.string(),
                mebibytes(kDiskMargin),
                mebibytes(free));
}

Result<ModelNeeds> check_model(const fs::path& path, const MachineRoom& room) {
    NOTSO_TRY(const auto file, gguf::File::open(path));
    return needs_of(*file, room);
}

Result<> check_gguf(const fs::path& path) {
    NOTSO_TRY(const auto file, gguf::File::open(path));
    return file->check_whole();
}

Result<HeaderLook> look_at_start(std::string_view start,
                                 std::uint64_t file_size,
                                 const MachineRoom& room) {
    if (start.size() < kGgufMagic.size()) return HeaderLook{.wanted = kGgufMagic.size()};
    NOTSO_CHECK(check_magic(start));
    const auto bytes = std::as_bytes(std::span(start));
    const gguf::ParseOutcome outcome = gguf::parse_header(bytes, file_size);
    if (outcome.wanted > kMaxHeader)
        return fail(ErrorCode::kCorruptData,
                    "its header is longer than {}, the most that is allowed",
                    mebibytes(kMaxHeader));
    if (!outcome.header && outcome.wanted != 0)
        return HeaderLook{.wanted = std::max<std::uint64_t>(outcome.wanted, start.size() + 1)};
    if (!outcome.header) return std::unexpected(outcome.header.error());
    const ShapeOfFile shape(start, file_size);
    if (!shape.good())
        return fail(ErrorCode::kIo, "can't look at its header: {}", std::strerror(errno));
    auto needs = check_model(shape.path(), room);
    if (!needs) return std::unexpected(without_path(std::move(needs).error(), shape.path()));
    return HeaderLook{.needs = *std::move(needs)};
}

}  // namespace notso::services

#include "ml/gguf/writer.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

namespace notso::ml::gguf {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62;

template <class T>
void put_number(std::string& out, T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out.append(raw, sizeof(T));
}

void put_string(std::string& out, std::string_view text) {
    put_number<std::uint64_t>(out, text.size());
    out += text;
}

/// A value's type number is its place in the variant, except that an array stands before the 64-bit
/// numbers.
std::uint32_t type_number(const Value& value) {
    constexpr std::uint32_t kNumbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 9};
    static_assert(std::size(kNumbers) == std::variant_size_v<Value>);
    return kNumbers[value.index()];
}

struct PutValue {
    std::string& out;
    void operator()(std::string_view text) const { put_string(out, text); }
    void operator()(bool value) const { put_number<std::uint8_t>(out, value ? 1 : 0); }
    void operator()(const Array& array) const {
        put_number(out, array.element_type);
        put_number(out, array.count);
        out.append(reinterpret_cast<const char*>(array.data.data()), array.data.size());
    }
    template <class Number>
    void operator()(Number value) const {
        put_number(out, value);
    }
};

std::uint64_t padded(std::uint64_t bytes, std::uint64_t alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
}

Result<std::uint64_t> tensor_bytes(const NewTensor& tensor) {
    const auto layout = block_layout(tensor.type);
    NOTSO_ASSERT(layout && !tensor.shape.empty(), "the caller names known types and shapes");
    if (tensor.shape.front() % layout->elements != 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "tensor {} has {} columns, which do not fill blocks of {} ({})",
                    log::field(tensor.name),
                    tensor.shape.front(),
                    layout->elements,
                    layout->name);
    }
    std::uint64_t bytes = tensor.shape.front() / layout->elements;
    bool wraps = __builtin_mul_overflow(bytes, std::uint64_t{layout->bytes}, &bytes);
    for (std::size_t i = 1; i < tensor.shape.size(); ++i)
        wraps = __builtin_mul_overflow(bytes, tensor.shape[i], &bytes) || wraps;
    if (wraps || bytes > kMostBytes) {
        return fail(ErrorCode::kTooLarge,
                    "tensor {} would have more than 2^62 bytes",
                    log::field(tensor.name));
    }
    return bytes;
}

std::uint64_t written_alignment(std::span<const KeyValue> metadata) {
    for (const KeyValue& item : metadata) {
        if (item.key != "general.alignment") continue;
        if (const auto* value = std::get_if<std::uint32_t>(&item.value)) return *value;
    }
    return kDefaultAlignment;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

Result<> check_place(const std::filesystem::path& path, IfExists if_exists) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return {};  // free, or creating the file says why not
    if (if_exists == IfExists::kRefuse)
        return fail(ErrorCode::kAlreadyExists, "{} exists already", path.string());
    if (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode)) return {};
    return fail(ErrorCode::kAlreadyExists, "{} is not a regular file and stays", path.string());
}

Result<> check_room(const std::filesystem::path& path, std::uint64_t bytes) {
    const std::filesystem::path folder = folder_of(path);
    struct statvfs disk{};
    if (::statvfs(folder.c_str(), &disk) != 0) return {};  // creating the file says why
    const std::uint64_t room = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    if (bytes <= room) return {};
    return fail(
        ErrorCode::kIo,
        "{} needs {:.1f} MB, but the disk of {} has {:.1f} MB free: make room or write elsewhere",
        path.string(),
        static_cast<double>(bytes) / 1e6,
        folder.string(),
        static_cast<double>(room) / 1e6);
}

}  // namespace

Result<Layout> lay_out(std::span<const KeyValue> metadata, std::span<const NewTensor> tensors) {
    Layout out;
    out.alignment = written_alignment(metadata);
    out.header = "GGUF";
    put_number<std::uint32_t>(out.header, 3);
    put_number<std::uint64_t>(out.header, tensors.size());
    put_number<std::uint64_t>(out.header, metadata.size());
    for (const KeyValue& item : metadata) {
        put_string(out.header, item.key);
        put_number(out.header, type_number(item.value));
        std::visit(PutValue{out.header}, item.value);
    }
    std::uint64_t offset = 0;
    for (const NewTensor& tensor : tensors) {
        NOTSO_TRY(const std::uint64_t bytes, tensor_bytes(tensor));
        put_string(out.header, tensor.name);
        put_number(out.header, static_cast<std::uint32_t>(tensor.shape.size()));
        for (const std::uint64_t dim : tensor.shape) put_number(out.header, dim);
        put_number(out.header, std::to_underlying(tensor.type));
        put_number(out.header, offset);
        out.sizes.push_back(bytes);
        offset += padded(bytes, out.alignment);
        if (offset > kMostBytes)
            return fail(ErrorCode::kTooLarge, "the file would have more than 2^62 bytes");
    }
    out.header.resize(padded(out.header.size(), out.alignment));
    out.file_bytes = out.header.size() + offset;
    return out;
}

Writer::Writer(int fd, std::filesystem::path path, std::filesystem::path part, IfExists if_exists)
    : fd_(fd), path_(std::move(path)), part_(std::move(part)), if_exists_(if_exists) {}

Writer::Writer(Writer&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      part_(std::exchange(other.part_, {})),
      if_exists_(other.if_exists_),
      sizes_(std::move(other.sizes_)),
      alignment_(other.alignment_),
      tensor_(other.tensor_),
      in_tensor_(other.in_tensor_) {}

Writer::~Writer() {
    if (fd_ >= 0) ::close(fd_);
    if (!part_.empty()) ::unlink(part_.c_str());
}

Result<Writer> Writer::create(const std::filesystem::path& path,
                              const Layout& layout,
                              IfExists if_exists) {
    NOTSO_CHECK(check_place(path, if_exists));
    NOTSO_CHECK(check_room(path, layout.file_bytes));
    std::filesystem::path part = path;
    part += fmt::format(".{:08x}.part", random_u64() >> 32);
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    const int error = errno;
    Writer writer(fd, path, fd >= 0 ? std::move(part) : std::filesystem::path(), if_exists);
    if (fd < 0) return writer.failure("can't be created", error);
    writer.sizes_ = layout.sizes;
    writer.alignment_ = layout.alignment;
    NOTSO_CHECK(writer.put(std::as_bytes(std::span(layout.header))));
    return writer;
}

std::unexpected<Error> Writer::failure(std::string_view what, int error) const {
    ErrorCode code = ErrorCode::kIo;
    if (error == ENOENT || error == ENOTDIR) code = ErrorCode::kNotFound;
    if (error == EACCES || error == EPERM || error == EROFS) code = ErrorCode::kPermissionDenied;
    if (error == EEXIST) code = ErrorCode::kAlreadyExists;
    return fail(code, "{} {}: {}", path_.string(), what, std::generic_category().message(error));
}

Result<> Writer::put(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return failure("can't be written", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
}

Result<> Writer::write(std::span<const std::byte> bytes) {
    constexpr std::byte kZeros[4096] = {};
    while (!bytes.empty()) {
        NOTSO_ASSERT(tensor_ < sizes_.size(), "more bytes than the tensors have");
        const std::uint64_t size = sizes_[tensor_];
        const std::uint64_t take = std::min<std::uint64_t>(bytes.size(), size - in_tensor_);
        NOTSO_CHECK(put(bytes.first(take)));
        bytes = bytes.subspan(take);
        in_tensor_ += take;
        if (in_tensor_ < size) continue;
        for (std::uint64_t gap = padded(size, alignment_) - size; gap > 0;) {
            const std::uint64_t part = std::min<std::uint64_t>(gap, sizeof kZeros);
            NOTSO_CHECK(put(std::span(kZeros).first(part)));
            gap -= part;
        }
        ++tensor_;
        in_tensor_ = 0;
    }
    return {};
}

Result<> Writer::commit() {
    if (tensor_ != sizes_.size())
        return fail(ErrorCode::kInternal, "{}: tensor {} was not written", path_.string(), tensor_);
    if (::fsync(fd_) != 0) return failure("can't be brought to disk", errno);
    const unsigned flags = if_exists_ == IfExists::kRefuse ? RENAME_NOREPLACE : 0;
    int renamed = ::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path_.c_str(), flags);
    if (renamed != 0 && (errno == EINVAL || errno == ENOSYS)) {
        // A file system that can't refuse by itself: look, then rename.
        NOTSO_CHECK(check_place(path_, if_exists_));
        renamed = ::rename(part_.c_str(), path_.c_str());
    }
    if (renamed != 0) return failure("can't take its name", errno);
    part_.clear();
    const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        ::fsync(folder);  // the name itself; the data is safe either way
        ::close(folder);
    }
    return {};
}

}  // namespace notso::ml::gguf

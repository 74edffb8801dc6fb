// gguf::Writer: writes a GGUF file so that nobody ever sees half of it. Everything goes to a file
// beside the target, which takes the target's name when all of it is on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"

namespace notso::ml::gguf {

/// A tensor of the new file; shape as in Tensor.
struct NewTensor {
    std::string name;
    TensorType type;
    std::vector<std::uint64_t> shape;
};

/// The bytes before the tensor data, and where that data goes.
struct Layout {
    std::string header;                ///< Padded to the alignment: the data begins right after it.
    std::vector<std::uint64_t> sizes;  ///< Bytes of each tensor, without padding.
    std::uint64_t alignment = 0;
    std::uint64_t file_bytes = 0;
};

/// Lays out a file. Keys are written in order, byte for byte as a file has them; the alignment is
/// that of `general.alignment`, else 32. Version 3.
/// @errors kInvalidArgument for a tensor whose columns don't fill its blocks; kTooLarge beyond 2^62
/// bytes.
Result<Layout> lay_out(std::span<const KeyValue> metadata, std::span<const NewTensor> tensors);

enum class IfExists { kRefuse, kReplace };

/// Not thread-safe.
class Writer {
  public:
    /// Checks the place and the room on its disk, creates `<path>.<random>.part` and writes the
    /// header.
    /// @errors kAlreadyExists; kIo with the numbers when the disk has too little room; kNotFound,
    /// kPermissionDenied.
    static Result<Writer> create(const std::filesystem::path& path,
                                 const Layout& layout,
                                 IfExists if_exists);

    Writer(Writer&& other) noexcept;
    Writer& operator=(Writer&&) = delete;
    /// Removes the unfinished file unless commit() succeeded.
    ~Writer();

    /// Appends bytes of the tensors, in their order, in pieces of any size; padding comes by
    /// itself.
    Result<> write(std::span<const std::byte> bytes);

    /// Syncs the file to disk and gives it its name.
    /// @errors kAlreadyExists when something took the name meanwhile (kRefuse); kInternal when
    /// bytes of a tensor are missing.
    Result<> commit();

  private:
    Writer(int fd, std::filesystem::path path, std::filesystem::path part, IfExists if_exists);
    Result<> put(std::span<const std::byte> bytes);
    std::unexpected<Error> failure(std::string_view what, int error) const;

    int fd_;
    std::filesystem::path path_;
    std::filesystem::path part_;
    IfExists if_exists_;
    std::vector<std::uint64_t> sizes_;
    std::uint64_t alignment_ = 0;
    std::size_t tensor_ = 0;       // the one that is being written
    std::uint64_t in_tensor_ = 0;  // its bytes so far
};

}  // namespace notso::ml::gguf

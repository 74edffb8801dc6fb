// WeightMemory: where the weights of a model live, and how they get there. Weights are copied out
// of the file into memory with large pages: reads are faster there, and a file that is cut or
// replaced later can do no harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.hpp"

namespace notso::ml {

/// Anonymous memory, zeroed, that asks for 2 MiB pages.
class WeightMemory {
  public:
    WeightMemory() = default;
    /// @errors kOutOfMemory with the number of bytes.
    static Result<WeightMemory> allocate(std::uint64_t bytes);

    WeightMemory(WeightMemory&& other) noexcept;
    WeightMemory& operator=(WeightMemory&& other) noexcept;
    ~WeightMemory();

    std::span<std::byte> bytes() const noexcept { return {data_, size_}; }

  private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Reads parts of a file by offset. Unlike a mapping, a file that shrinks meanwhile gives an error,
/// not a signal.
class FileReader {
  public:
    /// @param expected_bytes  Size that the file had when it was checked.
    /// @errors kNotFound, kPermissionDenied, kIo; kCorruptData when the size has changed.
    static Result<FileReader> open(const std::filesystem::path& path, std::uint64_t expected_bytes);

    FileReader(FileReader&& other) noexcept;
    FileReader& operator=(FileReader&&) = delete;
    ~FileReader();

    /// Fills `out` from `offset` on. @errors kIo, kCorruptData when the file ends before.
    Result<> read(std::uint64_t offset, std::span<std::byte> out) const;

  private:
    FileReader(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}

    int fd_;
    std::filesystem::path path_;
};

}  // namespace notso::ml

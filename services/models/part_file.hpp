// PartFile: a model that is still arriving. NAME.gguf.part holds the bytes, NAME.gguf.part.json
// says which file they belong to, so that another run goes on where this one was killed. One
// process at a time: the part is locked. Nothing else in the program lists or opens a *.part.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/result.hpp"

namespace notso::services {

/// Which file the bytes belong to.
struct PartState {
    std::string url;
    std::string etag = {};   ///< As the server sent it; empty: it sent none.
    std::uint64_t size = 0;  ///< Bytes of the whole file.

    bool operator==(const PartState&) const = default;
};

class PartFile {
  public:
    /// Opens or creates TARGET.part and locks it.
    /// @errors kBusy while another process (or thread) fetches the same model; kPermissionDenied,
    /// kIo.
    static Result<PartFile> open(const std::filesystem::path& target);

    PartFile(PartFile&& other) noexcept;
    PartFile& operator=(PartFile&&) = delete;
    /// Unlocks; bytes and state stay, except that an empty part is removed.
    ~PartFile();

    const std::filesystem::path& path() const { return path_; }
    /// Bytes that are there, and what they belong to. A part whose state can't be read has none.
    std::uint64_t bytes() const { return bytes_; }
    const PartState& state() const { return state_; }

    /// Drops what is there and what it belongs to. @errors kIo.
    Result<> empty();
    /// Drops what is there and begins `state`'s file. @errors kIo, kTooLarge (disk full).
    Result<> begin(PartState state);
    /// @errors kIo; a full disk says so and what to do. What fitted stays.
    Result<> append(std::span<const std::byte> bytes);
    /// The first `count` bytes, or what is there of them.
    Result<std::string> read_start(std::size_t count) const;

    /// Syncs, takes the target's name (never over a file that is there), syncs the folder.
    /// @errors kAlreadyExists; kIo.
    Result<> install();
    /// Removes part and state.
    void discard();

  private:
    PartFile(std::filesystem::path target, int fd);
    std::filesystem::path state_path() const;
    void load_state();

    std::filesystem::path target_;
    std::filesystem::path path_;
    int fd_ = -1;
    std::uint64_t bytes_ = 0;
    PartState state_;
};

}  // namespace notso::services

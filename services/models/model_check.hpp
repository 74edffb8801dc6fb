// What a model needs and whether this machine has it: disk, memory, a header that can be read.
// Works on the first bytes of a file that is still arriving, so that a download that leads nowhere
// ends early.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

/// What this machine has; tests bring their own.
struct MachineRoom {
    /// Free bytes of the file system that a folder is on.
    std::function<Result<std::uint64_t>(const std::filesystem::path&)> disk_bytes;
    /// Memory in all, free or not.
    std::function<std::uint64_t()> memory_bytes;
};
MachineRoom this_machine();

/// Refuses when `needed` bytes and a margin for everything else on that disk are not free.
/// @errors kTooLarge with both numbers.
Result<> check_disk(const MachineRoom& room,
                    const std::filesystem::path& folder,
                    std::uint64_t needed);

/// What running the model takes.
struct ModelNeeds {
    std::uint64_t memory_bytes = 0;  ///< With a full context of the default length.
    std::string memory;              ///< The same for people, item by item.
};

/// Whether a model file can run here: header, architecture, types, memory.
/// @errors kCorruptData, kUnsupported: the file; kOutOfMemory with the numbers.
Result<ModelNeeds> check_model(const std::filesystem::path& path, const MachineRoom& room);

/// Only that the file is a whole GGUF file, whatever model it holds. @errors kCorruptData, kIo.
Result<> check_gguf(const std::filesystem::path& path);

struct HeaderLook {
    std::uint64_t wanted = 0;  ///< Not 0: so many bytes of the start are needed to say more.
    std::optional<ModelNeeds> needs = {};  ///< Empty while bytes are wanted.
};

/// check_model() for a file of `file_size` bytes of which only the start is there.
/// @errors as check_model; kCorruptData also when it begins like a web page.
Result<HeaderLook> look_at_start(std::string_view start,
                                 std::uint64_t file_size,
                                 const MachineRoom& room);

}  // namespace notso::services

// How much memory the KV cache may take, and how long a context that allows.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.hpp"

namespace notso::ml {

/// Bytes that this process can still use without swapping: the system's estimate, or what its
/// control group leaves. The largest number when neither can be read.
/// @param root  "/" outside of tests: where proc/ and sys/ are found.
std::uint64_t available_memory_bytes(const std::filesystem::path& root = "/");

/// What decides the length of a context.
struct ContextNeeds {
    std::int32_t requested = 0;         ///< 0 = the default.
    std::int32_t trained = 0;           ///< What the model was trained for.
    std::uint64_t bytes_per_token = 0;  ///< Of the KV cache.
    std::uint64_t available_bytes = 0;
};

/// The default is min(trained, 8192, what fits in half of the available memory).
/// @errors kInvalidArgument when more is requested than the model was trained for; kOutOfMemory
/// with both numbers.
Result<std::int32_t> choose_context_length(const ContextNeeds& needs);

}  // namespace notso::ml

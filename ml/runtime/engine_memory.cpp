// Reads /proc/meminfo and the control group's limit. See engine_memory.hpp.
#include "ml/runtime/engine_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace notso::ml {
namespace {

constexpr std::int32_t kDefaultContext = 8192;
constexpr std::int32_t kLeastContext = 128;  // less can't hold a question and its answer
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// The number after `key` in a file of "key number" lines; with an empty key, the first number.
std::optional<std::uint64_t> read_number(const std::filesystem::path& file, std::string_view key) {
    std::ifstream in(file);
    std::string word;
    while (!key.empty() && in >> word && word != key) {
    }
    std::uint64_t value = 0;
    if (!(in >> value)) return std::nullopt;
    return value;
}

/// What a control group (version 2) leaves; page cache counts as free, it gives way.
std::uint64_t control_group_bytes(const std::filesystem::path& root) {
    const std::filesystem::path group = root / "sys/fs/cgroup";
    const auto limit = read_number(group / "memory.max", "");
    const auto used = read_number(group / "memory.current", "");
    if (!limit || !used) return kUnlimited;
    const std::uint64_t cached =
        std::min(*used, read_number(group / "memory.stat", "file").value_or(0));
    return *limit - std::min(*limit, *used - cached);
}

}  // namespace

std::uint64_t available_memory_bytes(const std::filesystem::path& root) {
    const auto system_kib = read_number(root / "proc/meminfo", "MemAvailable:");
    const std::uint64_t system = system_kib ? *system_kib * 1024 : kUnlimited;
    return std::min(system, control_group_bytes(root));
}

Result<std::int32_t> choose_context_length(const ContextNeeds& needs) {
    const std::uint64_t per_token = std::max<std::uint64_t>(1, needs.bytes_per_token);
    if (needs.requested < 0 || needs.requested > needs.trained) {
        return fail(ErrorCode::kInvalidArgument,
                    "a context of {} tokens was asked for, this model allows 1 to {}",
                    needs.requested,
                    needs.trained);
    }
    const bool automatic = needs.requested == 0;
    const std::uint64_t budget = automatic ? needs.available_bytes / 2 : needs.available_bytes;
    const std::uint64_t fits = budget / per_token;
    const auto least = static_cast<std::uint64_t>(automatic ? std::min(kLeastContext, needs.trained)
                                                            : needs.requested);
    if (fits < least) {
        return fail(ErrorCode::kOutOfMemory,
                    "the KV cache of {} tokens needs {} MiB, only {} MiB of memory are free for "
                    "it; ask for a shorter "
                    "context or use a smaller model",
                    least,
                    (least * per_token) >> 20,
                    budget >> 20);
    }
    if (!automatic) return needs.requested;
    const auto ceiling = static_cast<std::uint64_t>(std::min(needs.trained, kDefaultContext));
    return static_cast<std::int32_t>(std::min(ceiling, fits));
}

}  // namespace notso::ml

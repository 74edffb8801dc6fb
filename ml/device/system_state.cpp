#include "ml/device/system_state.hpp"

#include <algorithm>
#include <fstream>

namespace notso::ml {

HugePages read_huge_pages(const SystemRoots& roots) {
    std::ifstream in(roots.sys / "kernel/mm/transparent_hugepage/enabled");
    // One line such as "always [madvise] never"; the brackets mark the choice.
    for (std::string word; in >> word;) {
        if (word == "[never]") return HugePages::kNever;
        if (word == "[madvise]") return HugePages::kOnRequest;
        if (word == "[always]") return HugePages::kAlways;
    }
    return HugePages::kUnknown;
}

std::optional<std::uint64_t> read_huge_bytes(const SystemRoots& roots) {
    const auto kib = kernel_files::read_field(roots.proc / "self/smaps_rollup", "AnonHugePages:");
    if (!kib) return std::nullopt;
    return *kib * 1024;
}

SwapInfo read_swap(const SystemRoots& roots) {
    std::ifstream in(roots.proc / "meminfo");
    std::uint64_t total = 0;
    std::uint64_t free = 0;
    for (std::string name; in >> name;) {
        if (name == "SwapTotal:") in >> total;
        if (name == "SwapFree:") in >> free;
    }
    return {total * 1024, (total - std::min(total, free)) * 1024};
}

}  // namespace notso::ml

// The machine: what it can do, and what slows it down.
#include "app/doctor/check.hpp"
#include "base/bytes.hpp"
#include "ml/device/device_manager.hpp"
#include "ml/device/system_state.hpp"

namespace notso::app::doctor {
namespace {

constexpr std::uint64_t kLittleMemory = 512 * kMiB;
constexpr std::uint64_t kMuchSwap = 256 * kMiB;

Check check_processor(const ml::DeviceManager& device) {
    const std::string_view kernels = device.kernels().name;
    Check check{.name = "processor"};
    check.detail =
        fmt::format("{}, {}; kernels {}",
                    device.cpu().name,
                    device.cpu().to_string().empty() ? "no AVX2" : device.cpu().to_string(),
                    kernels);
    check.facts = {
        {"name", device.cpu().name}, {"features", device.cpu().to_string()}, {"kernels", kernels}};
    if (kernels == "generic") {
        check.verdict = Verdict::kWarning;
        check.advice =
            "only the plain kernels run here, about ten times slower: use a processor "
            "with AVX2, or unset NOTSO_ISA where it is set";
    }
    return check;
}

Check check_cores(const ml::DeviceManager& device, const Settings& settings) {
    const ml::CoreCount& cores = device.cores();
    Check check{.name = "cores"};
    check.detail = fmt::format("{} logical, {} physical, {} used{}",
                               cores.logical,
                               cores.physical,
                               settings.threads > 0 ? settings.threads : cores.usable,
                               cores.usable < cores.physical ? " (a control group limits it)" : "");
    check.facts = {
        {"logical", cores.logical}, {"physical", cores.physical}, {"usable", cores.usable}};
    if (settings.threads > cores.usable) {
        check.verdict = Verdict::kWarning;
        check.advice = fmt::format("--threads {} is more than this process can use: {} is best",
                                   settings.threads,
                                   cores.usable);
    }
    return check;
}

Check check_memory(const ml::DeviceManager& device) {
    const ml::MemoryInfo memory = device.memory();
    Check check{.name = "memory"};
    check.detail = fmt::format(
        "{} free of {}", mebibytes(memory.available_bytes), mebibytes(memory.total_bytes));
    check.facts = {{"available_bytes", memory.available_bytes},
                   {"total_bytes", memory.total_bytes}};
    if (memory.available_bytes < kLittleMemory) {
        check.verdict = Verdict::kWarning;
        check.advice =
            "even small models need about 512 MiB: close other programs, or raise the "
            "limit of the container";
    }
    return check;
}

Check check_large_pages() {
    Check check{.name = "large pages"};
    switch (ml::read_huge_pages()) {
        case ml::HugePages::kAlways:
        case ml::HugePages::kOnRequest:
            check.detail = "2 MiB pages are given when asked for";
            return check;
        case ml::HugePages::kNever:
            check.detail = "turned off: reading weights is slower, by a third on some machines";
            check.advice = "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled";
            break;
        case ml::HugePages::kUnknown:
            check.detail = "the system does not say whether there are 2 MiB pages";
            check.advice = "nothing to do; models run, maybe somewhat slower";
            break;
    }
    check.verdict = Verdict::kWarning;
    return check;
}

Check check_swap() {
    const ml::SwapInfo swap = ml::read_swap();
    Check check{.name = "swap"};
    check.detail = swap.total_bytes == 0 ? "none"
                                         : fmt::format("{} of {} in use",
                                                       mebibytes(swap.used_bytes),
                                                       mebibytes(swap.total_bytes));
    check.facts = {{"used_bytes", swap.used_bytes}, {"total_bytes", swap.total_bytes}};
    if (swap.used_bytes > kMuchSwap) {
        check.verdict = Verdict::kWarning;
        check.advice =
            "memory was short here; a model whose weights are swapped out answers very "
            "slowly: close other programs or use a smaller model";
    }
    return check;
}

}  // namespace

std::vector<Check> check_machine(const Settings& settings) {
    std::vector<Check> checks;
    const auto device = ml::DeviceManager::create();
    if (device) {
        checks.push_back(check_processor(*device));
        checks.push_back(check_cores(*device, settings));
        checks.push_back(check_memory(*device));
    } else {
        checks.push_back({.name = "processor",
                          .verdict = Verdict::kBroken,
                          .detail = device.error().detail,
                          .advice = "unset NOTSO_ISA"});
    }
    checks.push_back(check_large_pages());
    checks.push_back(check_swap());
    return checks;
}

}  // namespace notso::app::doctor

// The machine: what it can do, and what slows it down.
#include "app/doctor/machine_checks.hpp"

#include <cstdlib>
#include <thread>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "ml/device/device_manager.hpp"

namespace notso::app::doctor {
namespace {

constexpr std::uint64_t kLittleMemory = 512 * kMiB;
constexpr std::uint64_t kMuchSwap = 256 * kMiB;
constexpr std::chrono::milliseconds kBusyTime{400};  // four periods of a CPU limit

/// What slows the processor down shows only while it works.
ml::BrakeCounters counters_while_busy(std::int32_t n_threads) {
    const ml::BrakeCounters before = ml::read_brakes();
    const auto spin = [start = SteadyClock::now()] {
        while (SteadyClock::now() - start < kBusyTime) {
        }
    };
    {
        std::vector<std::jthread> others;
        for (std::int32_t i = 1; i < n_threads; ++i) others.emplace_back(spin);
        spin();
    }
    return ml::read_brakes() - before;
}

}  // namespace

Check check_processor(const ml::CpuFeatures& cpu, std::string_view kernels, bool forced) {
    Check check{.name = "processor"};
    const std::string features = cpu.avx2 ? cpu.to_string() : "no AVX2";
    check.detail = fmt::format("{}, {}; kernels {}", cpu.name, features, kernels);
    check.facts = {{"name", cpu.name},
                   {"features", cpu.to_string()},
                   {"kernels", kernels},
                   {"forced", forced}};
    const bool could_more = cpu.avx512_vnni || cpu.avx_vnni || (cpu.avx2 && kernels == "generic");
    if (kernels != "generic" && kernels != "avx2") return check;
    check.verdict = Verdict::kWarning;
    if (forced && could_more) {
        check.detail += ", because NOTSO_ISA says so";
        check.advice = "this processor can do more, and be faster: unset NOTSO_ISA";
    } else if (kernels == "generic") {
        check.detail += ", many times slower than others";
        check.advice =
            "use a processor with AVX2; in a virtual machine choose the host's processor model "
            "(qemu: -cpu host)";
    } else {
        check.detail += cpu.avx512 ? ": AVX-512 without VNNI is not used" : ": no VNNI";
        check.advice =
            "prompts are read at about half the speed that VNNI gives, with AVX-512 or without "
            "(Intel since Ice Lake and Alder Lake, AMD since Zen 4); `--precision fast` helps; in "
            "a virtual machine choose the host's processor model (qemu: -cpu host)";
    }
    return check;
}

Check check_cores(const ml::CoreCount& cores, std::int32_t requested) {
    Check check{.name = "cores"};
    const std::int32_t used = ml::choose_threads(requested, cores);
    check.detail =
        fmt::format("{} logical, {} physical, {} used", cores.logical, cores.physical, used);
    check.facts = {{"logical", cores.logical},
                   {"physical", cores.physical},
                   {"usable", cores.usable},
                   {"used", used}};
    if (requested > cores.usable) {
        check.verdict = Verdict::kWarning;
        check.advice = fmt::format(
            "--threads {} is more than this process can use: {} is best", requested, cores.usable);
    } else if (used < cores.usable) {
        check.verdict = Verdict::kWarning;
        check.advice = fmt::format(
            "the others stand idle: leave out --threads (NOTSO_THREADS, threads in notso.toml), or "
            "say {}",
            cores.usable);
    } else if (used == 1) {
        check.verdict = Verdict::kWarning;
        check.detail += ": one core reads memory at a part of its speed, and prompts slowly";
        check.advice = cores.physical > 1 || cores.online > 1
                           ? "see `affinity` and `cpu limit` for what holds the other cores back"
                           : "give the virtual machine more cores, or use another machine";
    }
    return check;
}

Check check_affinity(const ml::CoreCount& cores) {
    Check check{.name = "affinity"};
    check.facts = {{"allowed", cores.logical}, {"online", cores.online}};
    check.detail = "this process may run on all CPUs";
    if (cores.online <= cores.logical) return check;
    check.verdict = Verdict::kWarning;
    check.detail =
        fmt::format("this process may run on {} of {} CPUs only", cores.logical, cores.online);
    check.advice = fmt::format(
        "start it without taskset, or widen the mask (taskset -c 0-{0} notso …; docker update "
        "--cpuset-cpus 0-{0} NAME; AllowedCPUs= in systemd)",
        cores.online - 1);
    return check;
}

Check check_memory(const ml::MemoryInfo& memory) {
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

Check check_large_pages(ml::HugePages pages) {
    Check check{.name = "large pages"};
    switch (pages) {
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

Check check_model_pages(std::optional<std::uint64_t> huge_bytes, std::uint64_t weight_bytes) {
    Check check{.name = "model's pages"};
    check.facts = {{"large_bytes", huge_bytes ? boost::json::value(*huge_bytes) : nullptr},
                   {"weight_bytes", weight_bytes}};
    if (!huge_bytes) {
        check.detail = "the system does not say which pages the weights got";
        return check;
    }
    check.detail = fmt::format(
        "{} of large pages for {} of weights", mebibytes(*huge_bytes), mebibytes(weight_bytes));
    if (*huge_bytes >= weight_bytes / 2) return check;
    check.verdict = Verdict::kWarning;
    check.advice =
        "most weights lie in small pages and are read more slowly: where large pages are on, "
        "memory "
        "is in small pieces; echo 1 | sudo tee /proc/sys/vm/compact_memory, then start again";
    return check;
}

Check check_swap(const ml::SwapInfo& swap) {
    Check check{.name = "swap"};
    check.detail = swap.total_bytes == 0 ? "none"
                                         : fmt::format("{} of {} in use",
                                                       mebibytes(swap.used_bytes),
                                                       mebibytes(swap.total_bytes));
    check.facts = {{"used_bytes", swap.used_bytes}, {"total_bytes", swap.total_bytes}};
    if (swap.used_bytes > kMuchSwap) {
        check.verdict = Verdict::kWarning;
        check.advice =
            "memory was short, and weights that are swapped out are read at the disk's speed: "
            "close "
            "other programs or use a smaller model, then sudo swapoff -a && sudo swapon -a";
    }
    return check;
}

std::vector<Check> check_machine(const Settings& settings) {
    std::vector<Check> checks;
    const auto device = ml::DeviceManager::create();
    const char* isa = std::getenv("NOTSO_ISA");
    if (device) {
        checks.push_back(
            check_processor(device->cpu(), device->kernels().name, isa != nullptr && *isa != '\0'));
    } else {
        checks.push_back({.name = "processor",
                          .verdict = Verdict::kBroken,
                          .detail = device.error().detail,
                          .advice = "unset NOTSO_ISA"});
    }
    const ml::CoreCount cores = ml::count_cores();
    const ml::BrakeCounters busy = counters_while_busy(ml::choose_threads(settings.threads, cores));
    const ml::BrakeCounters total = ml::read_brakes();
    checks.push_back(check_cores(cores, settings.threads));
    checks.push_back(check_affinity(cores));
    checks.push_back(check_quota(cores, busy));
    checks.push_back(check_clock(ml::read_clock_limits()));
    checks.push_back(check_heat(total, busy));
    checks.push_back(check_stolen(total, busy));
    checks.push_back(check_memory(ml::read_memory()));
    checks.push_back(check_large_pages(ml::read_huge_pages()));
    checks.push_back(check_swap(ml::read_swap()));
    return checks;
}

}  // namespace notso::app::doctor

// The checks of the machine, each a verdict on readings that were taken before: no file is read
// here, so that tests give any machine.
#pragma once

#include <optional>
#include <string_view>

#include "app/doctor/check.hpp"
#include "ml/device/brakes.hpp"
#include "ml/device/cpu.hpp"
#include "ml/device/resources.hpp"
#include "ml/device/system_state.hpp"

namespace notso::app::doctor {

/// @param kernels  The chosen ones: "generic", "avx2", "avx512".
/// @param forced   NOTSO_ISA chose them.
Check check_processor(const ml::CpuFeatures& cpu, std::string_view kernels, bool forced);

/// How many threads compute. @param requested  The setting `threads`; 0 = as many as are best.
Check check_cores(const ml::CoreCount& cores, std::int32_t requested);

/// Whether an affinity mask keeps CPUs from this process.
Check check_affinity(const ml::CoreCount& cores);

Check check_memory(const ml::MemoryInfo& memory);
Check check_large_pages(ml::HugePages pages);

/// Whether a loaded model got the large pages that it asked for.
Check check_model_pages(std::optional<std::uint64_t> huge_bytes, std::uint64_t weight_bytes);

Check check_swap(const ml::SwapInfo& swap);

/// A CPU limit of the control groups. @param busy  What happened while all threads computed.
Check check_quota(const ml::CoreCount& cores, const ml::BrakeCounters& busy);

Check check_clock(const ml::ClockLimits& limits);

/// @param total  Since the machine started.
Check check_heat(const ml::BrakeCounters& total, const ml::BrakeCounters& busy);

/// Time that a hypervisor gave to others.
Check check_stolen(const ml::BrakeCounters& total, const ml::BrakeCounters& busy);

}  // namespace notso::app::doctor

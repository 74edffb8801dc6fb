// DeviceManager: the machine as the engine sees it. Reports what the CPU can do, picks the kernels,
// counts cores and memory. Other kinds of devices would stand behind the same interface.
#pragma once

#include "base/result.hpp"
#include "ml/device/cpu.hpp"
#include "ml/device/resources.hpp"

namespace notso::ml {

class DeviceManager {
  public:
    /// Looks at the machine. The environment variable NOTSO_ISA forces a set of kernels.
    /// @errors kUnsupported, kInvalidArgument: NOTSO_ISA asks for what is not there.
    static Result<DeviceManager> create();

    const CpuFeatures& cpu() const noexcept { return cpu_; }
    const kernels::KernelTable& kernels() const noexcept { return *kernels_; }
    const CoreCount& cores() const noexcept { return cores_; }
    /// Read anew at each call.
    MemoryInfo memory() const { return read_memory(); }

  private:
    DeviceManager() = default;

    CpuFeatures cpu_;
    CoreCount cores_;
    const kernels::KernelTable* kernels_ = nullptr;
};

}  // namespace notso::ml

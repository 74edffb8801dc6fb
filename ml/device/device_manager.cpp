#include "ml/device/device_manager.hpp"

#include <cstdlib>

namespace notso::ml {

Result<DeviceManager> DeviceManager::create() {
    DeviceManager device;
    device.cpu_ = detect_cpu();
    device.cores_ = count_cores();
    const char* forced = std::getenv("NOTSO_ISA");
    const bool set = forced != nullptr && *forced != '\0';
    NOTSO_TRY(
        device.kernels_,
        choose_kernels(device.cpu_, set ? std::optional<std::string_view>(forced) : std::nullopt));
    return device;
}

}  // namespace notso::ml

#include "app/backend_choice.hpp"

#include <chrono>
#include <thread>

#include "services/backend/stub.hpp"

namespace notso::app {

std::unique_ptr<services::ChatBackend> make_backend(const Settings&) {
    return services::make_stub_backend();
}

Result<> wait_until_ready(const services::ChatBackend& backend, Interrupts& interrupts) {
    while (true) {
        const services::Health health = backend.health();
        if (health.state == services::HealthState::kReady) return {};
        if (health.state == services::HealthState::kFailed)
            return fail(ErrorCode::kUnavailable, "{}", health.detail);
        if (interrupts.take())
            return fail(ErrorCode::kCancelled, "interrupted while the model was loading");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace notso::app

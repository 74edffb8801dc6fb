#include "app/backend_choice.hpp"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <thread>

#include "app/model_choice.hpp"
#include "app/unavailable_backend.hpp"
#include "services/backend/local.hpp"
#include "services/backend/remote.hpp"
#include "services/backend/stub.hpp"

namespace notso::app {

std::unique_ptr<services::ChatBackend> make_backend(const Settings& settings) {
    if (settings.backend == BackendKind::kStub) return services::make_stub_backend();
    if (settings.backend == BackendKind::kRemote) {
        services::RemoteOptions options{.base_url = *settings.remote_url,
                                        .model = settings.remote_model,
                                        .api_key = settings.remote_key,
                                        .context_length = settings.context};
        return services::make_remote_backend(std::move(options));
    }
    auto model = choose_model(settings);
    if (!model) return make_unavailable_backend(std::move(model).error());
    return services::make_local_backend(local_options(settings, *model));
}

services::LocalOptions local_options(const Settings& settings, const std::filesystem::path& model) {
    services::LocalOptions options;
    options.model = model;
    options.tokenizer_json = settings.tokenizer_json;
    options.n_threads = settings.threads;
    options.context_length = settings.context;
    options.kv_type = settings.kv;
    options.kv_budget_bytes = static_cast<std::uint64_t>(settings.kv_memory_mb) * 1'000'000;
    options.prompt_precision = settings.precision;
    options.max_draft = settings.max_draft;
    return options;
}

LoadView::LoadView()
    : on_note([](const std::string& line) {
          if (::isatty(STDERR_FILENO) != 0) std::cerr << line << std::endl;
      }) {}

Result<> wait_until_ready(const services::ChatBackend& backend,
                          Interrupts& interrupts,
                          const LoadView& view) {
    const std::string remote_host = backend.info().remote_host;
    if (!remote_host.empty()) view.on_note("Remote model: your text goes to " + remote_host);
    bool to_tell = true;
    while (true) {
        const services::Health health = backend.health();
        if (to_tell && !health.memory.empty()) {
            view.on_note("Memory: " + health.memory);
            to_tell = false;
        }
        if (health.state == services::HealthState::kReady) return {};
        if (health.state == services::HealthState::kFailed)
            return fail(ErrorCode::kUnavailable, "{}", health.detail);
        if (interrupts.take())
            return fail(ErrorCode::kCancelled, "interrupted while the model was loading");
        view.on_progress(health.load_progress);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace notso::app

// The backend that the settings name, for every command that answers.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/interrupts.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/backend/local.hpp"

namespace notso::app {

/// Makes the backend and begins to load its model in the background; failures show in health().
std::unique_ptr<services::ChatBackend> make_backend(const Settings& settings);

/// How to run a model of this machine, for one conversation at a time.
services::LocalOptions local_options(const Settings& settings, const std::filesystem::path& model);

/// What is told while a model is loaded.
struct LoadView {
    /// To which host text goes, what the model will take in memory. By default on stderr, where
    /// that is a terminal: a script's stays empty.
    std::function<void(const std::string& line)> on_note;
    std::function<void(double progress)> on_progress = [](double) {};  ///< 0..1

    LoadView();
};

/// Waits until the model is loaded. @errors the backend's own failure; kCancelled when a signal
/// comes first.
Result<> wait_until_ready(const services::ChatBackend& backend,
                          Interrupts& interrupts,
                          const LoadView& view = {});

}  // namespace notso::app

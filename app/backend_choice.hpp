// The backend that the settings name, for every command that answers.
#pragma once

#include <memory>

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

/// Waits until the model is loaded; on a terminal, tells to which host text goes, and what the
/// model takes in memory as soon as that is known. @errors the backend's own failure; kCancelled
/// when a signal comes first.
Result<> wait_until_ready(const services::ChatBackend& backend, Interrupts& interrupts);

}  // namespace notso::app

// The shelf of models that `serve` and `chat` answer with, as the settings want it.
#pragma once

#include <memory>

#include "app/settings.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::app {

/// Makes the shelf over the default model and all that are installed, and begins to load the
/// default; failures show in health(). Where the settings name another kind of backend, that one.
std::unique_ptr<services::ChatBackend> make_server_backend(const Settings& settings);
/// The same for one conversation at a time.
std::unique_ptr<services::ChatBackend> make_terminal_backend(const Settings& settings);

}  // namespace notso::app

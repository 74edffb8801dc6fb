// The composition root of `serve`: builds every part in order, runs until a signal, and takes the
// parts down in reverse. The only place that knows which store, backend and server are in use.
#pragma once

#include <memory>

#include "app/settings.hpp"
#include "base/result.hpp"

namespace notso::app {

class Composition {
  public:
    /// Opens the data directory, begins to load the model, listens.
    /// @errors kBusy (port or data directory taken), kPermissionDenied, kIo, kInvalidArgument. A
    /// model that can't
    ///         be loaded is no error here: the page says it.
    static Result<std::unique_ptr<Composition>> create(const Settings& settings);
    virtual ~Composition() = default;

    /// Serves until SIGINT or SIGTERM. The first closes the listener and lets running answers end
    /// (30 s at most, then they are saved as interrupted); a second one ends within 1 s.
    virtual void run() = 0;
};

}  // namespace notso::app

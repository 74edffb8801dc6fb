// SettingsDesk: what owners have set, for whoever shows it. Lives on the io thread; the database is
// read and written on its own thread, so that changes of one owner come one after the other.
#pragma once

#include <functional>
#include <memory>

#include "services/chat/store_client.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

class SettingsDesk {
  public:
    using Done = std::move_only_function<void(Result<OwnerSettings>)>;
    using Edit = std::move_only_function<Result<>(OwnerSettings&)>;

    /// Destroy it on the io thread; completions due after that are dropped.
    SettingsDesk(SessionStore& store, Executor& database, Executor& io)
        : store_(store, database, io) {}

    void get(OwnerId owner, Done done);
    /// Keeps what `edit` makes of it, unless that fails; `done` gets what is kept.
    /// @param edit  Runs on the database thread.
    void change(OwnerId owner, Edit edit, Done done);

  private:
    StoreClient store_;
    std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);
};

}  // namespace notso::services

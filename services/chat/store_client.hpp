// StoreClient: runs a piece of work on the database thread and brings its result back to the io
// thread.
#pragma once

#include <memory>
#include <utility>

#include "base/executor.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// Calls run in the order they were made, so a later call sees what an earlier one wrote.
class StoreClient {
  public:
    StoreClient(SessionStore& store, Executor& database, Executor& io)
        : store_(&store), database_(&database), io_(&io) {}

    /// Runs `work(SessionStore&)` on the database thread, then `then(result)` on the io thread
    /// unless `owner` is gone by then. The work runs in any case.
    template <class Work, class Then>
    void call(std::weak_ptr<const void> owner, Work work, Then then) const {
        database_->post([store = store_,
                         io = io_,
                         owner = std::move(owner),
                         work = std::move(work),
                         then = std::move(then)]() mutable {
            auto result = work(*store);
            io->post([owner = std::move(owner),
                      result = std::move(result),
                      then = std::move(then)]() mutable {
                if (const auto alive = owner.lock()) then(std::move(result));
            });
        });
    }

    /// Runs `work(SessionStore&)` on the database thread; nobody is told.
    template <class Work>
    void post(Work work) const {
        database_->post([store = store_, work = std::move(work)]() mutable { work(*store); });
    }

  private:
    SessionStore* store_;
    Executor* database_;
    Executor* io_;
};

}  // namespace notso::services

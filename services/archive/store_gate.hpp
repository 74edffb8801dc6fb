// StoreGate: how long work reaches the store, piece by piece, from a thread of its own: between two
// pieces others use the store.
#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include "base/executor.hpp"
#include "base/result.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

class StoreGate {
  public:
    virtual ~StoreGate() = default;

    /// `work(SessionStore&)`, which returns a Result; waits for it.
    /// @errors its own; kUnavailable: the store was closed before it ran.
    template <class Work>
    std::invoke_result_t<Work&, SessionStore&> run(Work work) {
        std::invoke_result_t<Work&, SessionStore&> result =
            fail(ErrorCode::kUnavailable, "the server is shutting down: try again later");
        visit([&](SessionStore& store) { result = work(store); });
        return result;
    }

  protected:
    /// Returns when `work` has run, or never will.
    virtual void visit(const std::function<void(SessionStore&)>& work) = 0;
};

/// Of a store that nobody else uses.
class DirectGate final : public StoreGate {
  public:
    explicit DirectGate(SessionStore& store) : store_(store) {}

  protected:
    void visit(const std::function<void(SessionStore&)>& work) override { work(store_); }

  private:
    SessionStore& store_;
};

/// Of a store that lives on a thread. Never used on that thread.
class ExecutorGate final : public StoreGate {
  public:
    ExecutorGate(SessionStore& store, Executor& database) : store_(store), database_(database) {}

  protected:
    void visit(const std::function<void(SessionStore&)>& work) override;

  private:
    SessionStore& store_;
    Executor& database_;
};

}  // namespace notso::services

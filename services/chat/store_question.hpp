// How a thread of its own (a tool's) asks the store something: it waits for the database thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "services/chat/store_client.hpp"

namespace notso::services {

inline constexpr std::chrono::seconds kStorePatience{5};

/// What the database thread leaves for the one that waits.
template <class T>
struct StoreLetter {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<Result<T>> result;
};

/// @errors those of `work`; kUnavailable when the database does not answer in time.
template <class T, class Work>
Result<T> ask_store(const StoreClient& client, Work work) {
    const auto letter = std::make_shared<StoreLetter<T>>();
    client.post([letter, work = std::move(work)](SessionStore& store) mutable {
        Result<T> result = work(store);
        const std::lock_guard lock(letter->mutex);
        letter->result.emplace(std::move(result));
        letter->came.notify_one();
    });
    std::unique_lock lock(letter->mutex);
    if (!letter->came.wait_for(lock, kStorePatience, [&] { return letter->result.has_value(); }))
        return fail(ErrorCode::kUnavailable,
                    "the conversations can't be reached now, try again later");
    return *std::move(letter->result);
}

}  // namespace notso::services

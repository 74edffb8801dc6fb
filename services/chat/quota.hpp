// Quota: how much of a shared server one owner may take. The person at this machine has none.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// 0 = no limit.
struct Quota {
    std::int64_t conversations = 0;
    std::int64_t bytes = 0;    ///< Of texts and files.
    std::int64_t running = 0;  ///< Answers that are being written or wait.

    bool holds_for(const OwnerId& owner) const { return owner != local_owner(); }
};

/// Whether another conversation may be made. @errors kPermissionDenied.
Result<> check_new_conversation(SessionStore& store, const OwnerId& owner, const Quota& quota);
/// Whether more may be written. @errors kPermissionDenied.
Result<> check_stored_bytes(SessionStore& store, const OwnerId& owner, const Quota& quota);
/// Whether a file of so many bytes may be kept. @errors kPermissionDenied.
Result<> check_file_bytes(SessionStore& store,
                          const OwnerId& owner,
                          const Quota& quota,
                          std::int64_t bytes);
/// Whether another answer may begin. @errors kBusy.
Result<> check_running(std::int64_t running, const OwnerId& owner, const Quota& quota);

}  // namespace notso::services

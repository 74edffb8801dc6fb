#include "services/chat/quota.hpp"

namespace notso::services {

Result<> check_new_conversation(SessionStore& store, const OwnerId& owner, const Quota& quota) {
    if (!quota.holds_for(owner) || quota.conversations == 0) return {};
    NOTSO_TRY(const StoredAmount amount, store.stored_amount(owner));
    if (amount.conversations < quota.conversations) return {};
    return fail(ErrorCode::kPermissionDenied,
                "you have {} conversations, as many as this server allows: delete one first",
                amount.conversations);
}

Result<> check_stored_bytes(SessionStore& store, const OwnerId& owner, const Quota& quota) {
    if (!quota.holds_for(owner) || quota.bytes == 0) return {};
    NOTSO_TRY(const StoredAmount amount, store.stored_amount(owner));
    if (amount.bytes < quota.bytes) return {};
    constexpr std::int64_t kMiB = 1 << 20;
    return fail(
        ErrorCode::kPermissionDenied,
        "your conversations have {} MiB of text, and this server allows {}: delete some first",
        amount.bytes / kMiB,
        quota.bytes / kMiB);
}

Result<> check_running(std::int64_t running, const OwnerId& owner, const Quota& quota) {
    if (!quota.holds_for(owner) || quota.running == 0 || running < quota.running) return {};
    return fail(
        ErrorCode::kBusy,
        "{} answers of yours are being written, as many as this server allows: wait for one, "
        "or stop it",
        running);
}

}  // namespace notso::services

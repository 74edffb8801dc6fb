#include "services/chat/quota.hpp"

namespace notso::services {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

}  // namespace

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
    return fail(ErrorCode::kPermissionDenied,
                "your conversations have {} MiB of text and files, and this server allows {}: "
                "delete some first",
                amount.bytes / kMiB,
                quota.bytes / kMiB);
}

Result<> check_file_bytes(SessionStore& store,
                          const OwnerId& owner,
                          const Quota& quota,
                          std::int64_t bytes) {
    if (!quota.holds_for(owner) || quota.bytes == 0) return {};
    NOTSO_TRY(const StoredAmount amount, store.stored_amount(owner));
    if (amount.bytes + bytes <= quota.bytes) return {};
    return fail(ErrorCode::kPermissionDenied,
                "it takes {:.1f} MiB, and of the {} MiB that this server allows you, {:.1f} are "
                "used: delete some conversations first",
                static_cast<double>(bytes) / kMiB,
                quota.bytes / kMiB,
                static_cast<double>(amount.bytes) / kMiB);
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

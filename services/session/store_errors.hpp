// What every store says about what is not there (any more), or is somebody else's.
#pragma once

#include "base/log.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

inline std::unexpected<Error> no_conversation(const ConversationId& id) {
    return fail(ErrorCode::kNotFound, "no conversation {}: it was deleted", log::field(id.value));
}

inline std::unexpected<Error> no_message(const MessageId& id) {
    return fail(ErrorCode::kNotFound, "no message {}: it was deleted", log::field(id.value));
}

inline std::unexpected<Error> nothing_to_restore(const ConversationId& id) {
    return fail(ErrorCode::kNotFound,
                "conversation {} can't be restored: it was deleted for good",
                log::field(id.value));
}

inline std::unexpected<Error> no_owner() {
    return fail(ErrorCode::kInvalidArgument, "a conversation needs an owner");
}

inline std::unexpected<Error> no_attachment(const AttachmentId& id) {
    return fail(
        ErrorCode::kNotFound, "no file {}: it was removed, attach it again", log::field(id.value));
}

/// Every file that messages of a conversation use, those that wait too, once.
inline std::vector<AttachmentId> attachments_of(const WholeConversation& whole) {
    std::vector<AttachmentId> ids;
    const auto add = [&](const auto& messages) {
        for (const auto& message : messages) {
            for (const auto& file : message.files) {
                if (std::ranges::find(ids, file.id) == ids.end()) ids.push_back(file.id);
            }
        }
    };
    add(whole.messages);
    add(whole.waiting);
    return ids;
}

}  // namespace notso::services

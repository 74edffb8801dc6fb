// What the store calls things by: ids, and a conversation as its owner names it.
#pragma once

#include <string>
#include <utility>

#include "services/session/owner_id.hpp"

namespace notso::services {

/// Strong ids: 128 random bits as 32 hex digits.
struct ConversationId {
    std::string value;
    auto operator<=>(const ConversationId&) const = default;
};
struct MessageId {
    std::string value;
    bool operator==(const MessageId&) const = default;
};
struct AttachmentId {
    std::string value;
    bool operator==(const AttachmentId&) const = default;
};

/// A conversation as its owner names it: with another owner it names nothing.
struct ConversationKey {
    ConversationKey(OwnerId whose, ConversationId which)
        : owner(std::move(whose)), id(std::move(which)) {}
    OwnerId owner;
    ConversationId id;
    auto operator<=>(const ConversationKey&) const = default;
};

}  // namespace notso::services

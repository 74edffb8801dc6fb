// MemoryStore: messages that wait for the end of an answer.
#include <algorithm>
#include <iterator>

#include "services/session/memory_store.hpp"

namespace notso::services {

Result<> MemoryStore::add_waiting(const WaitingMessage& message) {
    NOTSO_CHECK(find(message.key()));
    const bool is_there = std::ranges::any_of(waiting_, [&](const WaitingMessage& other) {
        return other.conversation == message.conversation && other.client_id == message.client_id;
    });
    if (is_there) return fail(ErrorCode::kAlreadyExists, "that message waits already");
    Message taken{.id = {}, .conversation = message.conversation, .text = {}};
    for (const AttachmentUse& use : message.files) taken.files.emplace_back().id = use.id;
    NOTSO_CHECK(take_files(message.owner, taken));
    waiting_.push_back(message);
    return {};
}

Result<std::vector<WaitingMessage>> MemoryStore::waiting_messages(const ConversationKey& key) {
    NOTSO_CHECK(find(key));
    std::vector<WaitingMessage> found;
    std::ranges::copy_if(waiting_, std::back_inserter(found), [&](const WaitingMessage& message) {
        return message.conversation == key.id;
    });
    return found;
}

Result<> MemoryStore::remove_waiting(const ConversationKey& key, const std::string& client_id) {
    const auto removed = std::erase_if(waiting_, [&](const WaitingMessage& message) {
        return message.conversation == key.id && message.client_id == client_id;
    });
    if (removed == 0) return fail(ErrorCode::kNotFound, "that message does not wait any more");
    return {};
}

Result<std::vector<ConversationKey>> MemoryStore::conversations_with_waiting() {
    std::vector<ConversationKey> found;
    for (const WaitingMessage& message : waiting_) {
        const bool is_new = std::ranges::find(found, message.key()) == found.end();
        if (is_new && find(message.key())) found.push_back(message.key());
    }
    return found;
}

}  // namespace notso::services

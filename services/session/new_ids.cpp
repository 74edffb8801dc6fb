#include "services/session/new_ids.hpp"

#include <unordered_map>
#include <utility>

#include "base/random.hpp"

namespace notso::services {

void give_new_ids(WholeConversation& whole) {
    std::unordered_map<std::string, std::string> renamed;
    whole.conversation.id = {random_id()};
    for (Message& message : whole.messages) {
        std::string id = random_id();
        renamed[message.id.value] = id;
        message.id = {std::move(id)};
        message.conversation = whole.conversation.id;
        if (message.parent) message.parent->value = renamed[message.parent->value];
    }
    for (Summary& summary : whole.summaries) summary.until = {renamed[summary.until.value]};
    for (WaitingMessage& message : whole.waiting) message.conversation = whole.conversation.id;
    whole.conversation.leaf = {renamed[whole.conversation.leaf.value]};
}

}  // namespace notso::services

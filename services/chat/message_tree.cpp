#include "services/chat/message_tree.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace notso::services {
namespace {

using Index = std::unordered_map<std::string_view, std::size_t>;

Index index_of(const std::vector<Message>& all) {
    Index index;
    for (std::size_t i = 0; i < all.size(); ++i) index.emplace(all[i].id.value, i);
    return index;
}

std::string_view parent_of(const Message& message) {
    return message.parent ? std::string_view(message.parent->value) : std::string_view();
}

}  // namespace

std::vector<Message> path_to(const std::vector<Message>& all, const MessageId& leaf) {
    if (all.empty()) return {};
    const Index index = index_of(all);
    const auto found = index.find(leaf.value);
    std::size_t at = found == index.end() ? all.size() - 1 : found->second;
    std::vector<Message> path{all[at]};
    // A parent was written before its child: the walk ends, whatever a damaged database says.
    for (auto up = index.find(parent_of(all[at])); up != index.end() && up->second < at;
         up = index.find(parent_of(all[at]))) {
        at = up->second;
        path.push_back(all[at]);
    }
    std::ranges::reverse(path);
    return path;
}

MessageId newest_end(const std::vector<Message>& all, const MessageId& message) {
    // Written in order: the last message below it is the end of its newest path.
    std::unordered_map<std::string_view, bool> below{{message.value, true}};
    MessageId end = message;
    for (const Message& other : all) {
        if (!below.contains(parent_of(other))) continue;
        below.emplace(other.id.value, true);
        end = other.id;
    }
    return end;
}

std::vector<Versions> versions_of(const std::vector<Message>& all,
                                  const std::vector<Message>& path) {
    std::unordered_map<std::string_view, std::vector<const Message*>> children;
    for (const Message& message : all) children[parent_of(message)].push_back(&message);
    std::vector<Versions> versions;
    for (const Message& message : path) {
        Versions& all_of_it = versions.emplace_back();
        for (const Message* other : children[parent_of(message)]) {
            if (other->role != message.role) continue;
            if (other->id == message.id) all_of_it.index = all_of_it.ids.size();
            all_of_it.ids.push_back(other->id);
        }
    }
    return versions;
}

bool is_cut(const Message& message) {
    if (message.role != MessageRole::kAssistant || !message.parent) return false;
    switch (message.state) {
        case MessageState::kStopped:
        case MessageState::kInterrupted:
        case MessageState::kLength:
            return true;
        case MessageState::kFailed:
            return !(message.text.empty() && message.thinking.empty());
        case MessageState::kComplete:
        case MessageState::kRunning:
            break;
    }
    return false;
}

Result<ShownConversation> load_shown(SessionStore& store, const ConversationKey& key) {
    ShownConversation shown;
    NOTSO_TRY(shown.conversation, store.conversation(key));
    NOTSO_TRY(shown.all, store.messages(key));
    NOTSO_TRY(shown.summaries, store.summaries(key));
    shown.path = path_to(shown.all, shown.conversation.leaf);
    return shown;
}

}  // namespace notso::services

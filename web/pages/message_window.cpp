// See message_window.hpp.
#include "web/pages/message_window.hpp"

#include <algorithm>

namespace notso::web {

using services::Message;
using services::MessageRole;

std::size_t index_of(const std::vector<Message>& messages, std::string_view id) {
    const auto found = std::ranges::find(
        messages, id, [](const Message& message) -> std::string_view { return message.id.value; });
    return static_cast<std::size_t>(found - messages.begin());
}

MessageWindow window_before(const std::vector<Message>& messages, std::size_t end) {
    std::size_t begin = end;
    std::size_t bytes = 0;
    while (begin > 0 && end - begin < kMostShownMessages) {
        const Message& next = messages[begin - 1];
        bytes += next.text.size() + next.thinking.size();
        if (bytes > kMostShownBytes && begin < end) break;
        --begin;
    }
    const bool answer_first = begin < end && messages[begin].role != MessageRole::kUser;
    if (answer_first && begin > 0 && begin + 1 < end) ++begin;
    return {begin, end};
}

MessageWindow window_at(const std::vector<Message>& messages, std::string_view id) {
    const MessageWindow newest = window_before(messages, messages.size());
    const std::size_t wanted = index_of(messages, id);
    if (wanted == messages.size()) return newest;
    MessageWindow window = newest;
    while (wanted < window.begin) window = window_before(messages, window.begin);
    return window;
}

void narrow(services::ConversationView& view, const MessageWindow& window) {
    const auto cut = [&window](auto& items) {
        const auto at = [&items](std::size_t i) {
            return items.begin() + static_cast<std::ptrdiff_t>(std::min(i, items.size()));
        };
        items.erase(at(window.end), items.end());
        items.erase(items.begin(), at(window.begin));
    };
    if (window.end < view.messages.size()) {
        view.running = nullptr;
        view.can_continue = false;
        view.more_follows = false;
        view.waiting.clear();
        view.follow_ups.clear();
    }
    cut(view.messages);
    cut(view.versions);
}

}  // namespace notso::web

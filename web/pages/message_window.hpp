// Which messages of a long conversation a page shows: pages that are counted from the newest
// message back, so that a page stays small whatever was said before. Knows nothing of HTML.
#pragma once

#include <string_view>

#include "services/chat/chat_service.hpp"

namespace notso::web {

/// A page has at most so many messages; fewer when their texts are long. A single one may be
/// longer.
inline constexpr std::size_t kMostShownMessages = 24;
inline constexpr std::size_t kMostShownBytes = std::size_t{32} * 1024;

/// Messages [begin, end) of a conversation.
struct MessageWindow {
    std::size_t begin = 0;
    std::size_t end = 0;

    bool operator==(const MessageWindow&) const = default;
};

/// The page that ends before message `end` (an index). It begins with something that the person
/// said, where that is near.
MessageWindow window_before(const std::vector<services::Message>& messages, std::size_t end);

/// The page with this message, among those that are counted back from the newest; the newest one if
/// it is not there.
MessageWindow window_at(const std::vector<services::Message>& messages, std::string_view id);

/// Index of the message; the number of messages if it is not there.
std::size_t index_of(const std::vector<services::Message>& messages, std::string_view id);

/// Takes everything else out of the view, and, unless the window reaches to the newest message,
/// what comes after it: the running answer, messages that wait, questions that could be asked.
void narrow(services::ConversationView& view, const MessageWindow& window);

}  // namespace notso::web

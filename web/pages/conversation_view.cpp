#include "web/pages/conversation_view.hpp"

#include <fmt/format.h>

#include "base/random.hpp"
#include "web/pages/message_view.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::Message;
using services::MessageRole;
using services::Versions;

/// "2/3" and the messages beside this one; empty = there is none on that side.
json::object versions_view(const Versions& versions) {
    const std::size_t n = versions.ids.size();
    const std::size_t i = versions.index;
    return {{"count", n},
            {"label", fmt::format("{}/{}", i + 1, n)},
            {"number", i + 1},
            {"older", i > 0 ? versions.ids[i - 1].value : ""},
            {"newer", i + 1 < n ? versions.ids[i + 1].value : ""}};
}

}  // namespace

json::array message_views(const Language& language,
                          const services::ConversationView& chat,
                          std::string_view edited) {
    json::array views;
    for (std::size_t i = 0; i < chat.messages.size(); ++i) {
        const Message& message = chat.messages[i];
        const bool live = chat.running && message.id == chat.running->answer();
        json::object view =
            message.role == MessageRole::kUser ? user_view(language, message)
            : live                             ? live_answer_view(language, *chat.running)
                                               : answer_view(
                         language, message, chat.can_continue && i + 1 == chat.messages.size());
        view["conversation"] = message.conversation.value;
        view["versions"] =
            i < chat.versions.size() ? versions_view(chat.versions[i]) : json::object{{"count", 1}};
        view["edited"] = !live && message.id.value == edited;
        if (!live && message.id.value == edited) {
            view["source"] = message.text;
            view["client_id"] = random_id();
        }
        views.push_back(std::move(view));
    }
    return views;
}

json::object earlier_view(const services::ConversationView& chat) {
    return {{"conversation", chat.conversation.id.value},
            {"before", chat.messages.empty() ? "" : chat.messages.front().id.value}};
}

}  // namespace notso::web

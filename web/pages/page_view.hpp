// A whole page as the templates see it: conversation list, model badge, composer, messages.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/backend/chat_backend.hpp"
#include "services/chat/chat_service.hpp"
#include "web/http/message.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// What every page shows, gathered on the io thread.
struct PageFrame {
    const Language& language;
    std::string title;
    std::string theme = {};    ///< "light", "dark" or empty (as the system).
    std::string account = {};  ///< Name of who has signed in.
    bool own_space = false;    ///< The conversations are this browser's, not everybody's.
    services::ModelInfo model = {};
    services::Health health = {};
    bool on_disk = false;  ///< The model is installed and not loaded: a message does that first.
    bool reads_drafts = false;                    ///< See ChatService.
    std::int64_t thinking_budget = 0;             ///< The same.
    std::optional<std::int64_t> new_budget = {};  ///< What new chats of the person begin with.
    std::string storage_error = {};
    std::vector<services::Conversation> conversations = {};
    std::string current = {};  ///< Id of the conversation that is shown.
    std::vector<services::ModelEntry> models = {};
    std::string chosen = {};  ///< Id of the conversation's model; empty = the default.
    bool takes_files = false;
    std::vector<services::AttachedFile> files = {};  ///< What lies in the composer.
};

/// The person's choice of colours in this browser, from its cookie.
std::string theme_of(const Request& request);

/// Title of a conversation for people; one without messages has none yet.
std::string title_of(const Language& language, const services::Conversation& conversation);

/// Conversations as the lists show them, in their order: title, path, day.
boost::json::array conversations_view(const Language& language,
                                      const std::vector<services::Conversation>& conversations);

/// Variables of base.html.
boost::json::object frame_view(const PageFrame& frame);
/// Variable `model` of partials/model_badge.html.
boost::json::object model_view(const Language& language,
                               const services::ModelInfo& model,
                               const services::Health& health);

/// The same for the model that a page shows.
boost::json::object badge_view(const PageFrame& frame);

/// Variable `after` of partials/after.html: what stands below the last answer.
/// @param follow_ups  Written by a model.
/// @param loading     More is being made: the page asks for it.
boost::json::object after_view(std::string_view conversation,
                               const std::vector<std::string>& follow_ups,
                               bool loading);

/// Variable `waiting` of partials/waiting.html: what is sent after the running answer, or null.
boost::json::value waiting_view(const Language& language,
                                std::string_view conversation,
                                const std::vector<services::WaitingMessage>& waiting);

/// Variables of chat.html for a conversation that does not exist yet.
/// @param draft  Prefills the composer (a link may do that; nothing is sent).
boost::json::object new_chat_view(const PageFrame& frame, std::string_view draft);

/// How a conversation's page is shown.
struct ChatShown {
    /// The running answer and what comes after it are left out at kFollowMark, for a response that
    /// writes the answer into the page as it comes.
    bool follow = false;
    std::string_view draft = {};   ///< Prefills the composer.
    std::string_view edited = {};  ///< A message that is shown as a form.
    /// Of a long conversation: messages stand before the first one here, and this one comes after
    /// the last. Empty: none does.
    bool has_earlier = false;
    std::string_view later = {};
};

/// Variables of chat.html.
boost::json::object chat_view(const PageFrame& frame,
                              const services::ConversationView& view,
                              const ChatShown& shown);
inline constexpr std::string_view kFollowMark = "<!--answer-follows-->";

/// What went wrong, as a page of its own.
struct Trouble {
    std::string heading;
    std::string text;
    std::string kept =
        {};  ///< The person's text that was not stored; shown so that it is not lost.
    std::string back = {};  ///< Path of the conversation, when there is one.
    std::string icon = "alert";
};
/// Variables of message.html.
boost::json::object trouble_view(const PageFrame& frame, const Trouble& trouble);

}  // namespace notso::web

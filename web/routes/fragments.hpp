// Pieces of the chat page that several routes answer with, and the look-up they all begin with.
#pragma once

#include <string>

#include "web/routes/pages.hpp"

namespace notso::web {

/// A conversation as it is now. @errors kNotFound, also for anything that is no id.
Awaitable<Result<services::ConversationView>> open_conversation(const Pages& pages,
                                                                services::ConversationKey key);

/// HTML of the messages of `view`, in order; the running one as far as it is written.
std::string messages_html(const PageRenderer& renderer, const services::ConversationView& view);

/// The page of them that ends before message `before`; empty = the newest one. With the way to the
/// page before it. Empty when nothing stands there.
std::string page_html(const PageRenderer& renderer,
                      services::ConversationView view,
                      std::string_view before = {});

/// One of them, which takes the place of the message or of its form.
struct MessagePiece {
    std::string_view id;
    bool as_form = false;
};
/// Empty when it is not among those that are shown.
std::string message_html(const PageRenderer& renderer,
                         services::ConversationView view,
                         const MessagePiece& piece);

/// Fragment of what stands below the last answer: follow-up questions, or the request for them.
std::string after_html(const PageRenderer& renderer, const services::ConversationView& view);

/// Fragment of the messages that wait for the end of the running answer.
std::string waiting_html(const PageRenderer& renderer, const services::ConversationView& view);

/// Fragments that make pill, button, stream and what is below the last answer fit to what is
/// running.
std::string controls_html(const PageRenderer& renderer, const services::ConversationView& view);

}  // namespace notso::web

// The chat page and what a person does on it. Every form works without script; htmx gets fragments
// instead of pages.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET /                      a new chat; ?prefill= prefills the composer, ?deleted={id} offers to
/// restore a conversation, ?temporary=1 begins one of which nothing is stored
/// GET /chat/{id}             the conversation; ?follow=1 keeps the response open and writes the
/// running answer into it; ?edit={message} shows a message as a form; of a long one the newest page,
/// that with ?at={message}, or that which ends ?before={message}
void add_chat_page_routes(std::vector<Route>& routes, const SharedPages& pages);

/// A message that is a slash command (chat_commands.hpp) is done, not sent.
/// POST /chat                 message, model, temporary, files: makes a conversation, sends its first message
/// POST /chat/{id}/messages   message, client_id, thinking, thinking_budget, files: sent now, or
/// after the running answer
/// POST /chat/{id}/withdraw   client_id: of a message that waits; its text is in the composer then
/// POST /chat/{id}/draft      message, thinking: what is being typed, to be read ahead
/// POST /chat/{id}/tool       use, decision (allow, always, deny): about a call of a tool that asks
/// POST /chat/{id}/stop       ends the running answer
/// POST /chat/{id}/answer-now ends its thoughts; the answer goes on
/// POST /chat/{id}/thinking   thinking, thinking_budget: the conversation's switch, and how many
/// tokens thoughts may take (0 = no limit, empty = the server's setting)
/// POST /chat/{id}/model      model: an id, empty = the default one
/// POST /chat/{id}/again      model: that one answers from now on, first the last question again
/// POST /chat/{id}/rename     title
void add_chat_action_routes(std::vector<Route>& routes, const SharedPages& pages);

/// GET  /search                        q: where it stands in titles and messages (page or fragment)
/// POST /chat/{id}/pin                 pinned: listed first, or no more
/// POST /chat/{id}/archive             archived: not in the list, or again
/// GET  /archived                      those that are not in the list
/// POST /chat/{id}/delete              the page that follows can take it back
/// POST /chat/{id}/restore             takes it back
void add_chat_list_routes(std::vector<Route>& routes, const SharedPages& pages);

/// GET  /chats                         the list, with a box to tick for each
/// POST /chats/delete                  chat-{id} for each that is ticked; the page takes it back
/// POST /chats/archive                 the same boxes; nothing is deleted
/// POST /chats/restore                 the same boxes
void add_chat_bulk_routes(std::vector<Route>& routes, const SharedPages& pages);

/// GET  /chat/{id}/export              format: md (what is shown) or json (every version); a file
void add_chat_export_routes(std::vector<Route>& routes, const SharedPages& pages);

/// GET  /chat/{id}/context             what the model will read, message by message
/// GET  /chat/{id}/context/bar         how full that is (fragment)
/// POST /chat/{id}/compact             has the model summarise what was said
void add_chat_context_routes(std::vector<Route>& routes, const SharedPages& pages);

/// GET  /chat/{id}/earlier             before: a message; the page that ends there (fragment)
/// GET  /chat/{id}/message/{message}   one message as it is shown; ?edit=1 as a form (fragments);
/// ?source=1 its text as it was written
/// POST /chat/{id}/regenerate          question, answer, client_id: another answer beside that one
/// POST /chat/{id}/continue            answer: the last one, cut, goes on where it was cut
/// POST /chat/{id}/edit                message, text, client_id, files: a question beside that one
/// POST /chat/{id}/revise              message, text: the person's version of an answer
/// POST /chat/{id}/fork                message: a new conversation that begins with what this one says
/// up to it
/// POST /chat/{id}/version             message: shows the newest path through it
/// POST /chat/{id}/delete-message      message: an answer, or a question with its answers
void add_chat_tree_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web

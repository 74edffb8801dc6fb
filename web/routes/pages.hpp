// Pages: what the page routes share: the templates, the frame around every page, and how failures
// are shown.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "web/http/options.hpp"
#include "web/pages/page_renderer.hpp"
#include "web/pages/page_view.hpp"
#include "web/routes/context.hpp"

namespace notso::web {

class Pages {
  public:
    explicit Pages(AppContext& context) : context_(context) {}

    AppContext& context() const { return context_; }
    /// In the language of who asks.
    const PageRenderer& renderer(const Request& request) const;

    /// Everything but the conversation list, which needs the database.
    PageFrame bare_frame(const Request& request, std::string title) const;
    /// Makes the frame that of a chat with this model; empty = the default.
    static void show_model(PageFrame& frame, const std::string& id);
    /// With the list; when it can't be read, the frame says why (storage_error).
    Awaitable<PageFrame> frame(const Request& request, std::string title) const;

    /// Renders on the compute thread, so that a long conversation does not hold up the io thread.
    Awaitable<std::string> render(const Request& request,
                                  std::string name,
                                  boost::json::object variables) const;

    /// Shows a failure: to htmx as an alert above the composer, to a browser as a page that keeps
    /// the person's text.
    Awaitable<> show_error(Exchange& exchange, const Error& error, std::string kept = {}) const;

    /// The same for requests that no handler saw (unknown address, limits):
    /// ServerOptions::error_page.
    Response error_page(const Request& request, int status, const Error& error) const;

  private:
    void add_retry_after(Response& response, const Error& error) const;

    AppContext& context_;
};

/// The handlers of all page routes hold it.
using SharedPages = std::shared_ptr<const Pages>;

/// A text of the page in the language of who asks.
std::string text_for(const Request& request, std::string_view english);
/// 303 to a path of this server.
Response see_other(std::string path);
/// Of a link or a form, where to go afterwards: only a path of this server, which no browser takes
/// for another host; else "/".
std::string safe_path(const std::string& path);
/// What "/chat/{id}…" is about, as the request's owner sees it.
services::ConversationKey conversation_of(const Request& request);

}  // namespace notso::web

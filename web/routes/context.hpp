// What route handlers may use. Built once by app/, outlives the server.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.hpp"
#include "services/accounts/login_desk.hpp"
#include "services/archive/archive_desk.hpp"
#include "services/attachments/attachment_desk.hpp"
#include "services/backend/metered.hpp"
#include "services/chat/chat_service.hpp"
#include "services/mcp/server.hpp"
#include "services/models/pull_desk.hpp"
#include "services/settings/settings_desk.hpp"
#include "web/http/exchange.hpp"
#include "web/http/options.hpp"

namespace notso::web {

struct AppContext {
    services::ChatService& chat;
    services::MeteredBackend& backend;
    Executor& compute;  ///< For work longer than 1 ms: templating, markdown of long texts.
    std::string version;
    std::string storage_error =
        {};  ///< Why the data directory can't be used, when it can't (shown on the page).
    services::PullDesk* pulls = nullptr;         ///< Null where the server fetches no models.
    services::LoginDesk* logins = nullptr;       ///< Null where nobody can have an account.
    bool https = false;                          ///< People reach the server over https.
    const services::McpClient* mcp = nullptr;    ///< Null: no servers of tools are configured.
    services::ArchiveDesk* archive = nullptr;    ///< Null where nothing is imported or exported.
    services::SettingsDesk* settings = nullptr;  ///< Null where nobody can set anything.
    services::AttachmentDesk* files = nullptr;   ///< Null where messages take no files.
};

/// Every route of the program: one line each in route_table.cpp.
std::vector<Route> make_routes(AppContext& context);

/// For ServerOptions::error_page: failures that no route saw, in the page's own look.
ErrorPage make_error_page(AppContext& context);

/// Waits for a ChatService call: `auto view = co_await wait_for<ConversationView>([&](auto done) {
/// chat.open(id, std::move(done)); });` Keep the lambda in a named variable first: capturing
/// lambdas inside a co_await expression are miscompiled by GCC 12.
template <class T, class Start>
Awaitable<Result<T>> wait_for(Start& start) {
    co_return co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable),
                                                   void(Result<T>)>(
        [&start](auto handler) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            start(services::Completion<T>(
                [shared](Result<T> result) { (*shared)(std::move(result)); }));
        },
        boost::asio::use_awaitable);
}

}  // namespace notso::web

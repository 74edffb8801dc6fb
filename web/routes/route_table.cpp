// Every route of the program: one line per file of routes.
#include "web/routes/account.hpp"
#include "web/routes/after_answer.hpp"
#include "web/routes/archive.hpp"
#include "web/routes/assets.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/compat.hpp"
#include "web/routes/context.hpp"
#include "web/routes/files.hpp"
#include "web/routes/health.hpp"
#include "web/routes/help.hpp"
#include "web/routes/installed_app.hpp"
#include "web/routes/language.hpp"
#include "web/routes/metrics.hpp"
#include "web/routes/model_badge.hpp"
#include "web/routes/models.hpp"
#include "web/routes/openai.hpp"
#include "web/routes/pages.hpp"
#include "web/routes/settings.hpp"
#include "web/routes/stream.hpp"
#include "web/routes/tools.hpp"

namespace notso::web {

std::vector<Route> make_routes(AppContext& context) {
    std::vector<Route> routes;
    const auto pages = std::make_shared<const Pages>(context);
    add_health_routes(routes, context);
    add_metrics_routes(routes, context);
    add_openai_routes(routes, context);
    add_compat_routes(routes, context);
    add_asset_routes(routes);
    add_chat_page_routes(routes, pages);
    add_chat_action_routes(routes, pages);
    add_chat_list_routes(routes, pages);
    add_chat_bulk_routes(routes, pages);
    add_chat_context_routes(routes, pages);
    add_chat_export_routes(routes, pages);
    add_chat_tree_routes(routes, pages);
    add_archive_routes(routes, pages);
    add_file_routes(routes, pages);
    add_stream_routes(routes, pages);
    add_after_answer_routes(routes, pages);
    add_model_routes(routes, pages);
    add_model_badge_routes(routes, pages);
    add_account_routes(routes, pages);
    add_tool_routes(routes, pages);
    add_help_routes(routes, pages);
    add_language_routes(routes, pages);
    add_installed_app_routes(routes, pages);
    if (context.settings != nullptr) {
        add_settings_routes(routes, pages);
        add_chat_settings_routes(routes, pages);
    }
    return routes;
}

ErrorPage make_error_page(AppContext& context) {
    const auto pages = std::make_shared<const Pages>(context);
    return [pages](const Request& request, int status, const Error& error) {
        return pages->error_page(request, status, error);
    };
}

}  // namespace notso::web

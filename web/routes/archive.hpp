// Importing and exporting all conversations from the page.
#pragma once

#include <string_view>
#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET  /archive          the page with both
/// GET  /archive/export   format: json (everything) or md (what is shown); a file
/// POST /archive/import   a form with one file, or a body of JSON, at most 1 GiB; a page that says
/// what was imported
void add_archive_routes(std::vector<Route>& routes, const SharedPages& pages);

/// Answers with what an order exports, as a file of that name. It is written first, whole.
Awaitable<> send_export(Exchange& exchange,
                        const Pages& pages,
                        services::ArchiveOrder order,
                        std::string_view name);

}  // namespace notso::web

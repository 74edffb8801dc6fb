// How full the context is, as the templates see it: the bar under the composer and the ledger.
#pragma once

#include <boost/json.hpp>
#include <string_view>

#include "services/chat/context_ledger.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Variable `context` of partials/context.html; null where it is not known how full it is.
/// @param conversation  Its id.
boost::json::value context_view(const Language& language,
                                const services::ContextUse& use,
                                std::string_view conversation);

/// Variable `ledger` of context.html.
boost::json::object ledger_view(const Language& language,
                                const services::ContextLedger& ledger,
                                std::string_view conversation);

}  // namespace notso::web

// Messages that wait for the end of the running answer, on the chat page.
#pragma once

#include "web/routes/pages.hpp"

namespace notso::web {

/// What waits behind the running answer: a fragment for htmx, the page that writes that answer for
/// a browser.
Awaitable<> show_waiting(Exchange& exchange, const Pages& pages);

/// Takes a message back. Its text goes into the composer again: without script, of a page that is
/// made for that.
Awaitable<> post_withdraw(Exchange& exchange, const Pages& pages);

}  // namespace notso::web

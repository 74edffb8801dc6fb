// The headers that every response carries: pages, errors, streams, the API.
#pragma once

#include <string>

#include "web/http/message.hpp"

namespace notso::web {

/// Adds each security header that the response does not set itself.
void add_security_headers(Response& response);

/// Drops headers whose name or value would end the header line (a bug of a handler must not split a
/// response).
void drop_malformed_headers(Response& response);

}  // namespace notso::web

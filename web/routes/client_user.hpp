// Whose request it is, for taking turns at the model: one number per key and address.
#pragma once

#include <cstdint>

#include "web/http/message.hpp"

namespace notso::web {

/// The same for requests with the same key from the same address (that behind trusted proxies),
/// else different. Says nothing about either.
std::uint64_t client_user(const Request& request);

}  // namespace notso::web

// Whose request it is, for taking turns at the model: one number per person, as far as that is
// known.
#pragma once

#include <cstdint>

#include "web/http/message.hpp"

namespace notso::web {

/// The same for requests of one browser's space; where all share an owner, for those with the same
/// key from the same address (that behind trusted proxies); else different. Says nothing about any
/// of them.
std::uint64_t client_user(const Request& request);

}  // namespace notso::web

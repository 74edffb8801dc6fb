// Files of messages as the templates see them.
#pragma once

#include <boost/json.hpp>
#include <span>

#include "services/session/attachment_store.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// One object for each file: its id, its name, its size in words.
boost::json::array files_view(const Language& language,
                              std::span<const services::AttachedFile> files);

}  // namespace notso::web

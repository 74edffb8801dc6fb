// Which model somebody means who types a name.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/backend/chat_backend.hpp"

namespace notso::services {

struct NamedModels {
    std::optional<std::string> id = {};     ///< The one that is meant.
    std::vector<std::string> similar = {};  ///< Else: ids that contain the name.
    std::vector<std::string> all = {};      ///< Every id.
};

/// The model with that id, or the only one whose id contains the name; case does not count.
NamedModels models_named(std::span<const ModelEntry> models, std::string_view name);

/// Ids with commas between them.
std::string id_list(const std::vector<std::string>& ids);

}  // namespace notso::services

// Importing conversations from a file, each one whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "services/archive/element_reader.hpp"
#include "services/archive/store_gate.hpp"
#include "services/chat/quota.hpp"

namespace notso::services {

struct ImportReport {
    std::int64_t conversations = 0;
    std::int64_t messages = 0;
    std::int64_t refused = 0;               ///< Conversations.
    std::vector<std::string> reasons = {};  ///< Of the first refused ones: which, where, why.
};

/// Whose conversations they become.
struct ImportOwner {
    OwnerId owner;
    Quota quota = {};
};

/// What it did, in one or more lines for people.
std::string to_text(const ImportReport& report);

/// Adds every conversation of a file of notso, ChatGPT or Open WebUI, with new ids, for an owner.
/// One that can't be read or stored is refused, and the others go on.
/// @errors kPermissionDenied: a quota is used up; the file can't be read, or what is left of it is
/// no JSON: what was added before stays.
Result<ImportReport> import_file(StoreGate& gate,
                                 const ImportOwner& owner,
                                 const std::filesystem::path& path,
                                 FilePart part = {});

}  // namespace notso::services

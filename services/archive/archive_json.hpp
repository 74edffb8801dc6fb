// Conversations as JSON of this program's own: everything there is of one, so that what is exported
// and imported again is the same but for its ids.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// The member that says which format an object has, and its value.
inline constexpr std::string_view kArchiveMark = "notso_conversation";
inline constexpr std::int64_t kArchiveVersion = 1;

boost::json::object to_archive(const WholeConversation& whole);

/// @errors kInvalidArgument naming the member that is missing or wrong; kUnsupported: written by a
/// newer version of this program.
Result<WholeConversation> from_archive(const boost::json::object& object);

/// What is shown of a conversation, for people.
std::string to_markdown(const WholeConversation& whole);

}  // namespace notso::services

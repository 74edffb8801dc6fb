// Server-Sent Events as text. Knows the wire format only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/session/session_store.hpp"

namespace notso::web {

/// Where a reader of an answer is: "<answer>-<seq>" on the wire.
struct EventId {
    services::MessageId answer;
    std::uint64_t seq = 0;
    bool operator==(const EventId&) const = default;
};

std::string to_string(const EventId& id);
/// Empty for anything that is no such id; a reader may send whatever it likes.
std::optional<EventId> parse_event_id(std::string_view text);

/// One event; every line of `data` gets its own "data: ". An empty `name` is an unnamed message.
std::string sse_event(const EventId& id, std::string_view name, std::string_view data);

/// Keeps proxies and browsers from giving up while nothing happens.
inline constexpr std::string_view kSseHeartbeat = ": still here\n\n";

}  // namespace notso::web

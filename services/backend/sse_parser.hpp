// SseParser: takes a stream of Server-Sent Events apart, however its bytes are cut. Only the data
// matters here; names and ids of events are skipped.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

class SseParser {
  public:
    /// Takes the data of one event, its lines joined by '\n'; false ends the parsing.
    using Handler = std::function<bool(std::string_view data)>;

    static constexpr std::size_t kMaxEventBytes = 1024 * 1024;

    /// Adds bytes and hands out the events that are complete. An event whose blank line never comes
    /// is dropped, as the specification wants it.
    /// @errors kTooLarge for an event over kMaxEventBytes, in one line or in many.
    /// @cost   O(bytes); holds one event.
    Result<> push(std::string_view bytes, const Handler& handler);

  private:
    bool end_line(const Handler& handler);

    std::string line_;
    std::string data_;
    bool has_data_ = false;
    bool after_cr_ = false;  // a '\n' that follows belongs to the same line end
    bool at_start_ = true;   // a byte order mark may stand here
};

}  // namespace notso::services

// The pointer that a hub keeps beside a large file: a short text with the file's SHA-256 and size.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

struct HubPointer {
    std::string sha256;      ///< Lowercase.
    std::uint64_t size = 0;  ///< Bytes.
};

/// Reads "oid sha256:HEX" and "size BYTES", one a line. @errors kCorruptData.
Result<HubPointer> parse_hub_pointer(std::string_view text);

/// Asks the hub. @errors kNotFound, kCorruptData naming the address; those of fetch().
Result<HubPointer> fetch_hub_pointer(const std::string& url, const std::stop_token& stop);

}  // namespace notso::services

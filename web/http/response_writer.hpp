// Turns a Response into bytes: status line, headers, chunk framing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "web/http/message.hpp"

namespace notso::web {

enum class Framing {
    kLength,      ///< Content-Length of the body.
    kChunked,     ///< A stream to an HTTP/1.1 client.
    kUntilClose,  ///< A stream to an HTTP/1.0 client.
};

struct HeadOptions {
    Framing framing = Framing::kLength;
    bool keep_alive = true;
    std::size_t body_bytes = 0;
    std::string_view request_id = {};
};

/// The head with all security headers, ending with the blank line. `response.body` is not looked
/// at.
std::string serialize_head(Response response, const HeadOptions& options);

/// Whether a status forbids a body (1xx, 204, 304).
bool is_bodiless(int status) noexcept;

/// One chunk; "" for an empty piece (an empty chunk would end the stream).
std::string encode_chunk(std::string_view piece);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace notso::web

#include "web/http/response_writer.hpp"

#include <array>
#include <ctime>

#include "web/middleware/error_mapping.hpp"
#include "web/middleware/security_headers.hpp"

namespace notso::web {
namespace {

/// "Sun, 06 Nov 1994 08:49:37 GMT"; the program never sets a locale, so names are English.
std::string http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), size};
}

}  // namespace

bool is_bodiless(int status) noexcept { return status < 200 || status == 204 || status == 304; }

std::string serialize_head(Response response, const HeadOptions& options) {
    drop_malformed_headers(response);
    add_security_headers(response);
    std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nConnection: {}\r\n",
                                  response.status,
                                  reason_phrase(response.status),
                                  http_date(),
                                  options.keep_alive ? "keep-alive" : "close");
    const auto add = [&out](std::string_view name, std::string_view value) {
        out.append(name).append(": ").append(value).append("\r\n");
    };
    if (!is_bodiless(response.status)) {
        if (!response.content_type.empty()) add("Content-Type", response.content_type);
        if (options.framing == Framing::kLength)
            add("Content-Length", std::to_string(options.body_bytes));
        if (options.framing == Framing::kChunked) add("Transfer-Encoding", "chunked");
    }
    if (!options.request_id.empty()) add("X-Request-Id", options.request_id);
    for (const auto& [name, value] : response.headers) add(name, value);
    out += "\r\n";
    return out;
}

std::string encode_chunk(std::string_view piece) {
    if (piece.empty()) return {};
    return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

}  // namespace notso::web

// See hub_pointer.hpp.
#include "services/models/hub_pointer.hpp"

#include <charconv>

#include "services/models/sha256.hpp"
#include "services/net/http_client.hpp"

namespace notso::services {
namespace {

constexpr std::uint64_t kMaxPointer = 4096;
constexpr std::chrono::seconds kPointerPatience{60};
constexpr int kPointerRedirects = 5;
constexpr int kPointerNotFound = 404;

}  // namespace

Result<HubPointer> parse_hub_pointer(std::string_view text) {
    constexpr std::string_view kHash = "oid sha256:";
    constexpr std::string_view kSize = "size ";
    HubPointer pointer;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.starts_with(kHash)) {
            auto hash = parse_sha256(line.substr(kHash.size()));
            if (hash) pointer.sha256 = *std::move(hash);
        } else if (line.starts_with(kSize)) {
            const char* const end = line.data() + line.size();
            const auto read = std::from_chars(line.data() + kSize.size(), end, pointer.size);
            if (read.ec != std::errc{} || read.ptr != end) pointer.size = 0;
        }
    }
    if (pointer.sha256.empty() || pointer.size == 0)
        return fail(ErrorCode::kCorruptData, "no pointer with a SHA-256 and a size");
    return pointer;
}

Result<HubPointer> fetch_hub_pointer(const std::string& url, const std::stop_token& stop) {
    HttpRequest request{.url = url};
    request.max_redirects = kPointerRedirects;
    request.max_body_bytes = kMaxPointer;
    request.total_timeout = kPointerPatience;
    request.stop = stop;
    auto reply = fetch(request);
    if (!reply && reply.error().code == ErrorCode::kTooLarge)
        return fail(ErrorCode::kCorruptData, "{} is no pointer with a SHA-256 and a size", url);
    if (!reply) return std::unexpected(std::move(reply).error());
    const int status = reply->head.status;
    if (!reply->head.is_success())
        return fail(status == kPointerNotFound ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                    "the hub answers {} to {}: is the name right, and may everybody read it?",
                    status,
                    url);
    auto pointer = parse_hub_pointer(reply->body);
    if (!pointer) return fail(pointer.error().code, "{} is {}", url, pointer.error().detail);
    return pointer;
}

}  // namespace notso::services

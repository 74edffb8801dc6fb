// See pull_transfer.hpp. Nothing that a server says is believed: a continued answer must name the
// offset, the size and the version that were asked for.
#include "services/models/pull_transfer.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/bytes.hpp"
#include "base/log.hpp"

namespace notso::services {
namespace {

constexpr int kModelRedirects = 5;
constexpr int kHttpOk = 200;
constexpr int kHttpPartial = 206;
constexpr int kHttpTimedOut = 408;
constexpr int kRangeNotSatisfiable = 416;
constexpr int kTooManyRequests = 429;
constexpr int kFirstServerError = 500;
constexpr std::uint64_t kMaxModelBytes = std::uint64_t{1} << 42;
constexpr std::size_t kMaxEtag = 1024;

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
}

std::string text_of(const HttpHead& head, std::string_view name) {
    return std::string(head.find(name).value_or(""));
}

std::string etag_of(const HttpHead& head) {
    std::string etag = text_of(head, "ETag");
    return etag.size() <= kMaxEtag ? etag : std::string();
}

bool is_strong(std::string_view etag) { return etag.size() > 2 && etag.front() == '"'; }

/// Whether a status may pass by itself.
bool may_pass(int status) {
    return status >= kFirstServerError || status == kHttpTimedOut || status == kTooManyRequests;
}

bool may_pass(ErrorCode code) {
    return code == ErrorCode::kIo || code == ErrorCode::kTimeout || code == ErrorCode::kUnavailable;
}

Error status_refusal(int status, const std::string& url) {
    constexpr int kNotFound = 404;
    const ErrorCode code = status == kNotFound ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
    return {code, fmt::format("the server answers {} to {}", status, log::field(url))};
}

}  // namespace

PullTransfer::PullTransfer(PartFile& part,
                           const PullRequest& request,
                           const PullHooks& hooks,
                           const PullOptions& options)
    : part_(part), request_(request), hooks_(hooks), options_(options) {}

bool PullTransfer::can_continue(std::uint64_t expected_size, bool trusted) const {
    const PartState& state = part_.state();
    if (part_.bytes() == 0 || state.url != request_.source.url) return false;
    if (expected_size != 0 && expected_size != state.size) return false;
    return is_strong(state.etag) || trusted;
}

TransferResult PullTransfer::run(std::uint64_t expected_size, bool trusted) {
    expected_size_ = expected_size;
    ended_.reset();
    if (part_.bytes() > 0 && !can_continue(expected_size, trusted)) {
        if (auto emptied = part_.empty(); !emptied)
            return {TransferEnd::kFailed, std::move(emptied).error()};
    }
    if (part_.bytes() > 0 && part_.bytes() == part_.state().size) return {TransferEnd::kWhole};
    HttpRequest http{.url = request_.source.url};
    http.resume_from = part_.bytes();
    if (http.resume_from > 0 && is_strong(part_.state().etag))
        http.headers.push_back({"If-Range", part_.state().etag});
    http.max_redirects = kModelRedirects;
    http.max_body_bytes = kMaxModelBytes;
    http.silence_timeout = options_.silence_timeout;
    http.stop = hooks_.stop;
    const auto reply =
        fetch(http,
              {.on_head = [this](const HttpHead& head) { return on_head(head); },
               .on_data = [this](std::span<const char> bytes) { return on_data(bytes); }});
    return outcome(reply);
}

HttpFlow PullTransfer::end(TransferEnd how, Error why) {
    ended_ = TransferResult{how, std::move(why)};
    return HttpFlow::kStop;
}

HttpFlow PullTransfer::on_head(const HttpHead& head) {
    if (head.status == kHttpPartial && part_.bytes() > 0) {
        const auto good = check_rest(head);
        const std::uint64_t rest = part_.state().size - part_.bytes();
        if (auto room = check_disk(options_.room, request_.folder, rest); good && !room)
            return end(TransferEnd::kFailed, std::move(room).error());
        if (good) return HttpFlow::kContinue;
        if (auto emptied = part_.empty(); !emptied)
            return end(TransferEnd::kFailed, std::move(emptied).error());
        return end(TransferEnd::kFromStart, good.error());
    }
    if (head.status == kRangeNotSatisfiable && part_.bytes() > 0) {
        if (auto emptied = part_.empty(); !emptied)
            return end(TransferEnd::kFailed, std::move(emptied).error());
        return end(
            TransferEnd::kFromStart,
            {ErrorCode::kCorruptData, "the file at the server is shorter than what is here"});
    }
    if (head.status != kHttpOk)
        return end(may_pass(head.status) ? TransferEnd::kInterrupted : TransferEnd::kFailed,
                   status_refusal(head.status, request_.source.url));
    if (auto begun = begin_whole(head); !begun)
        return end(TransferEnd::kFailed, std::move(begun).error());
    return HttpFlow::kContinue;
}

/// A 206: does it continue what is here?
Result<> PullTransfer::check_rest(const HttpHead& head) {
    const PartState& state = part_.state();
    const std::string range = text_of(head, "Content-Range");
    const std::string wanted =
        fmt::format("bytes {}-{}/{}", part_.bytes(), state.size - 1, state.size);
    if (range != wanted)
        return fail(ErrorCode::kCorruptData,
                    "the server continues with {} where {} was asked for",
                    log::field(range),
                    wanted);
    const std::string etag = etag_of(head);
    if (!state.etag.empty() && !etag.empty() && etag != state.etag)
        return fail(ErrorCode::kCorruptData, "the file at the server has changed");
    return {};
}

/// A 200: the file from its first byte.
Result<> PullTransfer::begin_whole(const HttpHead& head) {
    const auto length = parse_bytes(text_of(head, "Content-Length"));
    const std::uint64_t size = length.value_or(expected_size_);
    if (size == 0 || size > kMaxModelBytes)
        return fail(ErrorCode::kUnsupported,
                    "the server does not say how long the file is, so nobody could tell when it is "
                    "whole");
    if (expected_size_ != 0 && size != expected_size_)
        return fail(ErrorCode::kCorruptData,
                    "the server's file has {} bytes, the hub's pointer names {}",
                    size,
                    expected_size_);
    NOTSO_CHECK(part_.empty());
    NOTSO_CHECK(check_disk(options_.room, request_.folder, size));
    if (const std::uint64_t memory = options_.room.memory_bytes(); size > memory && !request_.force)
        return fail(ErrorCode::kOutOfMemory,
                    "the file has {}, this machine {} of memory: it could not be loaded",
                    mebibytes(size),
                    mebibytes(memory));
    next_look_ = 1;
    return part_.begin({request_.source.url, etag_of(head), size});
}

HttpFlow PullTransfer::on_data(std::span<const char> bytes) {
    const std::uint64_t size = part_.state().size;
    if (bytes.size() > size - part_.bytes()) {
        part_.discard();
        return end(TransferEnd::kFailed,
                   {ErrorCode::kCorruptData,
                    fmt::format("the server sends more than the {} bytes it promised", size)});
    }
    if (auto written = part_.append(std::as_bytes(bytes)); !written)
        return end(TransferEnd::kFailed, std::move(written).error());
    if (auto good = look(); !good) {
        part_.discard();
        return end(TransferEnd::kFailed, std::move(good).error());
    }
    if (hooks_.on_progress) hooks_.on_progress({PullStage::kReceiving, part_.bytes(), size});
    return HttpFlow::kContinue;
}

/// Looks at the header as soon as it is there: what can't run is not fetched to its end.
Result<> PullTransfer::look() {
    if (next_look_ == 0 || part_.bytes() < std::min(next_look_, part_.state().size)) return {};
    NOTSO_TRY(const std::string start, part_.read_start(part_.bytes()));
    const auto seen = look_at_start(start, part_.state().size, options_.room);
    if (!seen) {
        const ErrorCode code = seen.error().code;
        const bool only_here = code == ErrorCode::kOutOfMemory || code == ErrorCode::kUnsupported;
        const bool passes = (only_here && request_.force) || code == ErrorCode::kIo;
        next_look_ = 0;  // the check of the whole file decides
        if (passes) return {};
        return std::unexpected(seen.error());
    }
    // Twice as much at least each time, so that a header that asks byte by byte costs nothing.
    next_look_ = seen->needs ? 0 : std::max<std::uint64_t>(seen->wanted, 2 * part_.bytes());
    if (seen->needs && hooks_.on_note) hooks_.on_note("in memory: " + seen->needs->memory);
    return {};
}

TransferResult PullTransfer::outcome(const Result<HttpReply>& reply) const {
    if (ended_) return *ended_;
    if (!reply)
        return {may_pass(reply.error().code) ? TransferEnd::kInterrupted : TransferEnd::kFailed,
                reply.error()};
    if (part_.bytes() == part_.state().size) return {TransferEnd::kWhole};
    return {TransferEnd::kInterrupted,
            {ErrorCode::kIo,
             fmt::format("the answer ended at byte {} of {}", part_.bytes(), part_.state().size)}};
}

}  // namespace notso::services

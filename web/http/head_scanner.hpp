// Reads the head of an HTTP/1 request byte by byte, strictly: what two programs could read
// differently is refused. Not a general parser: no obs-fold, no bare CR or LF, no list of lengths,
// no transfer coding but chunked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "web/http/options.hpp"

namespace notso::web {

/// A protocol error: the status to answer before the connection is closed.
struct HttpFailure {
    int status = 400;
    std::string detail;
};

struct RequestHead {
    std::string method;
    std::string target;  ///< Printable ASCII, not decoded.
    bool http_1_0 = false;
    std::vector<Header> headers;  ///< In order; names in lower case, values trimmed.
    std::optional<std::uint64_t> content_length;  ///< Saturates at 2^64 - 1.
    bool chunked = false;
    bool keep_alive = true;
    bool expects_continue = false;

    bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// Splits and checks one header line, without its CRLF. @errors status 400 with what is wrong.
std::optional<HttpFailure> parse_header_line(std::string_view line, Header& out);

/// Fed with bytes as they arrive; any slicing gives the same result.
class HeadScanner {
  public:
    /// `limits` must outlive the scanner.
    explicit HeadScanner(const HttpLimits& limits) : limits_(limits) {}

    /// Takes what belongs to the head; returns how many bytes that were. Takes nothing once done or
    /// failed.
    std::size_t feed(std::string_view bytes);

    bool started() const { return phase_ != Phase::kStart || cr_seen_; }
    bool done() const { return phase_ == Phase::kDone; }
    const std::optional<HttpFailure>& failure() const { return failure_; }
    /// The head, when done.
    RequestHead take() { return std::move(head_); }

  private:
    enum class Phase { kStart, kRequestLine, kHeaders, kDone };

    void take_byte(char c);
    void end_line();
    void read_request_line();
    void read_header_line();
    void check_head();
    void check_framing();
    void fail_with(int status, std::string detail) {
        failure_ = HttpFailure{status, std::move(detail)};
    }

    const HttpLimits& limits_;
    Phase phase_ = Phase::kStart;
    std::string line_;
    bool cr_seen_ = false;
    bool blank_line_skipped_ = false;
    std::size_t header_bytes_ = 0;
    RequestHead head_;
    std::optional<HttpFailure> failure_;
};

}  // namespace notso::web

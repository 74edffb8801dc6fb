#include "web/http/head_scanner.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "web/http/url.hpp"

namespace notso::web {
namespace {

bool is_token_char(char c) noexcept {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool is_token_list(std::string_view text) {
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        const std::string_view item = trim(text.substr(0, end));
        if (!item.empty() && !is_token(item)) return false;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return true;
}

bool is_value_char(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
}

bool is_target_char(char c) noexcept { return c > 0x20 && c < 0x7F && c != '#'; }

/// Headers whose meaning depends on which copy is read: one only.
constexpr std::array<std::string_view, 8> kSingleHeaders = {"authorization",
                                                            "content-length",
                                                            "content-type",
                                                            "host",
                                                            "last-event-id",
                                                            "origin",
                                                            "sec-fetch-site",
                                                            "transfer-encoding"};

/// Digits only; saturates, because anything that large is over every limit anyway.
std::optional<std::uint64_t> parse_length(std::string_view text) {
    if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (kMax - digit) / 10) return kMax;
        value = value * 10 + digit;
    }
    return value;
}

}  // namespace

std::optional<HttpFailure> parse_header_line(std::string_view line, Header& out) {
    if (line.starts_with(' ') || line.starts_with('\t'))
        return HttpFailure{400, "folded header lines are not allowed"};
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return HttpFailure{400, "a header line has no colon"};
    if (!is_token(line.substr(0, colon)))
        return HttpFailure{400, "a header name has a character that is not allowed"};
    const std::string_view value = trim(line.substr(colon + 1));
    if (!std::ranges::all_of(value, is_value_char))
        return HttpFailure{400, "a header value has a control character"};
    out.name = to_lower(line.substr(0, colon));
    out.value = value;
    return std::nullopt;
}

std::size_t HeadScanner::feed(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && !done() && !failure_) take_byte(bytes[used++]);
    return used;
}

void HeadScanner::take_byte(char c) {
    if (phase_ == Phase::kHeaders && ++header_bytes_ > limits_.header_bytes + 2) {
        return fail_with(
            431,
            "the header block is larger than the limit");  // + 2: the blank line is not counted
    }
    if (cr_seen_) {
        cr_seen_ = false;
        if (c != '\n') return fail_with(400, "CR without LF");
        return end_line();
    }
    if (c == '\r') {
        cr_seen_ = true;
        return;
    }
    if (c == '\n') return fail_with(400, "LF without CR");
    if (c == '\0') return fail_with(400, "NUL byte");
    if (phase_ == Phase::kStart) phase_ = Phase::kRequestLine;
    line_ += c;
    if (phase_ == Phase::kRequestLine && line_.size() > limits_.request_line_bytes) {
        fail_with(414, "the request line is longer than the limit");
    }
}

void HeadScanner::end_line() {
    if (phase_ == Phase::kStart) {
        // One empty line before a request is tolerated (RFC 9112, section 2.2).
        if (blank_line_skipped_) return fail_with(400, "empty lines instead of a request");
        blank_line_skipped_ = true;
        return;
    }
    if (phase_ == Phase::kRequestLine) {
        phase_ = Phase::kHeaders;
        read_request_line();
    } else if (line_.empty()) {
        phase_ = Phase::kDone;
        check_head();
    } else {
        read_header_line();
    }
    line_.clear();
}

void HeadScanner::read_request_line() {
    const std::string_view line = line_;
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos)
        return fail_with(400, "the request line is not METHOD TARGET VERSION");
    const std::string_view target = line.substr(first + 1, second - first - 1);
    const std::string_view version = line.substr(second + 1);
    if (!is_token(line.substr(0, first))) return fail_with(400, "the method is not a token");
    if (target.empty() || !std::ranges::all_of(target, is_target_char)) {
        return fail_with(400, "the request target has a character that is not allowed");
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        const bool well_formed =
            version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.';
        return fail_with(well_formed ? 505 : 400, "the version must be HTTP/1.1 or HTTP/1.0");
    }
    head_.method = line.substr(0, first);
    head_.target = target;
    head_.http_1_0 = version == "HTTP/1.0";
}

void HeadScanner::read_header_line() {
    // Folding is looked for first: a folded line is no header of its own.
    if (head_.headers.size() >= limits_.header_count && line_[0] != ' ' && line_[0] != '\t') {
        return fail_with(431, "more headers than the limit");
    }
    Header header;
    if (auto wrong = parse_header_line(line_, header)) {
        failure_ = std::move(wrong);
        return;
    }
    head_.headers.push_back(std::move(header));
}

void HeadScanner::check_head() {
    for (const std::string_view name : kSingleHeaders) {
        if (std::ranges::count(head_.headers, name, &Header::name) > 1) {
            return fail_with(400, fmt::format("more than one {} header", name));
        }
    }
    bool has_host = false;
    head_.keep_alive = !head_.http_1_0;
    for (const auto& [name, value] : head_.headers) {
        if (name == "host") has_host = true;
        if (name == "connection" && !is_token_list(value)) {
            return fail_with(400, "the Connection header is no list of names");
        }
        if (name == "connection" && has_token(value, "close")) head_.keep_alive = false;
        if (name == "connection" && head_.http_1_0 && has_token(value, "keep-alive"))
            head_.keep_alive = true;
        if (name == "expect" && to_lower(value) != "100-continue") {
            return fail_with(417, "the only expectation that is met is 100-continue");
        }
        if (name == "expect") head_.expects_continue = !head_.http_1_0;
    }
    if (!has_host && !head_.http_1_0) return fail_with(400, "the Host header is missing");
    check_framing();
}

void HeadScanner::check_framing() {
    for (const auto& [name, value] : head_.headers) {
        if (name == "content-length") {
            head_.content_length = parse_length(value);
            if (!head_.content_length) return fail_with(400, "Content-Length must be digits only");
        }
        if (name == "transfer-encoding") {
            head_.chunked = true;
            if (head_.http_1_0)
                return fail_with(400, "Transfer-Encoding does not exist in HTTP/1.0");
            if (to_lower(value) != "chunked")
                return fail_with(400, "the only Transfer-Encoding is chunked");
        }
    }
    if (head_.chunked && head_.content_length) {
        fail_with(400, "both Content-Length and Transfer-Encoding");
    }
}

}  // namespace notso::web

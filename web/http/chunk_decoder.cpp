#include "web/http/chunk_decoder.hpp"

#include <algorithm>

namespace notso::web {
namespace {

constexpr int kMaxSizeDigits = 16;

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::size_t ChunkDecoder::feed(std::string_view bytes, std::string& body) {
    std::size_t used = 0;
    while (used < bytes.size() && !done() && !failure_) {
        if (phase_ == Phase::kData) {
            used += take_data(bytes.substr(used), body);
        } else {
            take_byte(bytes[used++]);
        }
    }
    return used;
}

std::size_t ChunkDecoder::take_data(std::string_view bytes, std::string& body) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size_, bytes.size()));
    body.append(bytes.substr(0, count));
    body_bytes_ += count;
    size_ -= count;
    if (size_ == 0) phase_ = Phase::kDataCr;
    return count;
}

void ChunkDecoder::take_byte(char c) {
    switch (phase_) {
        case Phase::kSize:
            return take_size(c);
        case Phase::kExtension:
            return take_extension(c);
        case Phase::kSizeLf:
            if (c != '\n') return fail_with(400, "CR without LF after a chunk size");
            return end_size(body_bytes_);
        case Phase::kDataCr:
            if (c != '\r') return fail_with(400, "a chunk is longer than its size says");
            phase_ = Phase::kDataLf;
            return;
        case Phase::kDataLf:
            if (c != '\n') return fail_with(400, "CR without LF after a chunk");
            phase_ = Phase::kSize;
            size_ = 0;
            digits_ = 0;
            return;
        case Phase::kTrailer:
        case Phase::kTrailerLf:
            return take_trailer(c);
        case Phase::kData:
        case Phase::kDone:
            return;
    }
}

void ChunkDecoder::take_size(char c) {
    if (const int digit = hex_digit(c); digit >= 0) {
        if (++digits_ > kMaxSizeDigits) return fail_with(400, "a chunk size has too many digits");
        size_ = size_ * 16 + static_cast<std::uint64_t>(digit);
        return;
    }
    if (digits_ == 0) return fail_with(400, "a chunk size must be hex digits");
    if (c == '\r') {
        phase_ = Phase::kSizeLf;
    } else if (c == ';') {
        phase_ = Phase::kExtension;
    } else {
        fail_with(400, "a chunk size must be hex digits");
    }
}

void ChunkDecoder::take_extension(char c) {
    if (c == '\r') {
        phase_ = Phase::kSizeLf;
        return;
    }
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F)
        return fail_with(400, "control character in a chunk extension");
    if (++extension_bytes_ > limits_.header_bytes)
        fail_with(431, "chunk extensions are larger than the limit");
}

void ChunkDecoder::end_size(std::size_t body_bytes) {
    if (size_ == 0) {
        phase_ = Phase::kTrailer;
    } else if (size_ > max_body_ - body_bytes) {
        fail_with(413, "the body is larger than the limit");
    } else {
        phase_ = Phase::kData;
    }
}

void ChunkDecoder::take_trailer(char c) {
    if (++trailer_bytes_ > limits_.header_bytes + 2)
        return fail_with(431, "trailers are larger than the limit");
    if (phase_ == Phase::kTrailerLf) {
        if (c != '\n') return fail_with(400, "CR without LF in a trailer");
        phase_ = Phase::kTrailer;
        return end_trailer_line();
    }
    if (c == '\r') {
        phase_ = Phase::kTrailerLf;
    } else if (c == '\n' || c == '\0') {
        fail_with(400, "LF without CR, or NUL, in a trailer");
    } else {
        line_ += c;
    }
}

void ChunkDecoder::end_trailer_line() {
    if (line_.empty()) {
        phase_ = Phase::kDone;
        return;
    }
    Header ignored;
    failure_ = parse_header_line(line_, ignored);
    if (!failure_ && ++trailers_ > limits_.header_count)
        fail_with(431, "more trailers than the limit");
    line_.clear();
}

}  // namespace notso::web

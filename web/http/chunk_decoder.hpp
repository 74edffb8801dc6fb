// Decodes a chunked request body strictly: bare hex sizes, exact CRLFs, bounded extensions and
// trailers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "web/http/head_scanner.hpp"

namespace notso::web {

/// Fed with bytes as they arrive; any slicing gives the same result.
class ChunkDecoder {
  public:
    /// @param max_body  Bytes of decoded body; one more is a failure with status 413.
    /// `limits` must outlive the decoder.
    ChunkDecoder(const HttpLimits& limits, std::size_t max_body)
        : limits_(limits), max_body_(max_body) {}

    /// Takes what belongs to the body, appends its data to `body`, and returns how many bytes it
    /// took.
    std::size_t feed(std::string_view bytes, std::string& body);

    bool done() const { return phase_ == Phase::kDone; }
    const std::optional<HttpFailure>& failure() const { return failure_; }

  private:
    enum class Phase {
        kSize,
        kExtension,
        kSizeLf,
        kData,
        kDataCr,
        kDataLf,
        kTrailer,
        kTrailerLf,
        kDone
    };

    std::size_t take_data(std::string_view bytes, std::string& body);
    void take_byte(char c);
    void take_size(char c);
    void take_extension(char c);
    void end_size(std::size_t body_bytes);
    void take_trailer(char c);
    void end_trailer_line();
    void fail_with(int status, std::string detail) {
        failure_ = HttpFailure{status, std::move(detail)};
    }

    const HttpLimits& limits_;
    const std::size_t max_body_;
    Phase phase_ = Phase::kSize;
    std::uint64_t size_ = 0;  // of the current chunk; while in kData: what is left of it
    int digits_ = 0;
    std::size_t body_bytes_ = 0;
    std::size_t extension_bytes_ = 0;
    std::size_t trailer_bytes_ = 0;
    std::size_t trailers_ = 0;
    std::string line_;
    std::optional<HttpFailure> failure_;
};

}  // namespace notso::web

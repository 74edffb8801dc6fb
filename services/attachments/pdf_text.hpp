// The text of PDF files, by pdftotext of poppler-utils: a program of its own with limits, since
// such files come from anywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace notso::services {

struct PdfLimits {
    std::size_t max_text_bytes = 0;
    SteadyClock::time_point deadline = SteadyClock::time_point::max();
    std::stop_token stop = {};
};

/// Whether a file begins as a PDF does: PDF readers take some bytes before the mark.
/// @param start  Its first kibibyte, or all of it.
bool is_pdf(std::string_view start);

/// Well-formed UTF-8; a form feed ends each page. May take 512 MiB and 15 s of a processor in its
/// own process.
/// @errors kUnsupported: pdftotext is missing, the file has a password, is damaged, or has no text
/// at all; kTooLarge: it has more text; kTimeout; kCancelled; kIo.
Result<std::string> pdf_text(const std::filesystem::path& path, const PdfLimits& limits);

}  // namespace notso::services

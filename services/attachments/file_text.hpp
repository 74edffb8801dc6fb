// What a model reads of a file: its text, whatever it is written in. What a file is decides its
// content, never its name or the type that somebody claims.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

struct FileText {
    std::string media_type;                ///< "text/plain" or "application/pdf".
    std::optional<std::string> text = {};  ///< UTF-8 without NUL; absent = the file as it is.
};

/// Text is valid UTF-8, or UTF-16 with a byte order mark, or else, without any control character,
/// Windows-1252 (which has all of Latin-1's letters). A PDF is copied to `scratch` for the time it
/// is being read.
/// @param scratch  A file that is not there.
/// @errors kUnsupported: neither text nor PDF, or nothing to read in it; kTooLarge: more text than
/// kMaxAttachmentBytes; as pdf_text(). They do not name the file.
Result<FileText> text_of_file(std::string_view bytes, const std::filesystem::path& scratch);

}  // namespace notso::services

// The one file of an upload form, found in a body that lies on the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace notso::web {

/// Where the file's bytes are in the body.
struct UploadRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// @param content_type  Of the request: multipart/form-data with one part, or application/json: the
/// whole body.
/// @errors kInvalidArgument: neither of them, or no whole form.
Result<UploadRange> find_upload(const std::filesystem::path& body, std::string_view content_type);

}  // namespace notso::web

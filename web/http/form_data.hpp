// Forms with files (multipart/form-data), found in a body that lies on the disk: fields come as
// texts, files as places in the body. Nothing of a file is read into memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace notso::web {

/// A file of a form.
struct FormFile {
    std::string name;         ///< As the browser sent it: hostile, perhaps no UTF-8.
    std::uint64_t begin = 0;  ///< Of its bytes in the body.
    std::uint64_t end = 0;
};

struct FormData {
    std::map<std::string, std::string> fields;  ///< The first value of a name wins.
    std::vector<FormFile> files;                ///< Without those that nobody chose.
};

/// At most 200 parts, 4 MiB of fields. @cost reads the body once.
/// @param content_type  Of the request, with its boundary.
/// @errors kInvalidArgument: no whole form, or a field that is no text; kTooLarge.
Result<FormData> read_form_data(const std::filesystem::path& body, std::string_view content_type);

/// The boundary that a content type names. @errors kInvalidArgument.
Result<std::string> boundary_of(std::string_view content_type);

}  // namespace notso::web

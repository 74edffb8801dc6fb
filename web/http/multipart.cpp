#include "web/http/multipart.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

#include "web/http/form_data.hpp"
#include "web/http/url.hpp"

namespace notso::web {
namespace {

constexpr std::uint64_t kMaxHeadBytes = 16 * 1024;
constexpr std::uint64_t kMaxTailBytes = 1024;

std::unexpected<Error> no_form(std::string_view what) {
    return fail(ErrorCode::kInvalidArgument, "the upload is no form with one file: {}", what);
}

std::string read(std::ifstream& file, std::uint64_t begin, std::uint64_t size) {
    std::string text(static_cast<std::size_t>(size), '\0');
    file.seekg(static_cast<std::streamoff>(begin));
    file.read(text.data(), static_cast<std::streamsize>(size));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    file.clear();
    return text;
}

}  // namespace

Result<UploadRange> find_upload(const std::filesystem::path& body, std::string_view content_type) {
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(body, error);
    if (error) return no_form("it is empty");
    const std::string type = media_type(content_type);
    if (type == "application/json") return UploadRange{0, size};
    if (type != "multipart/form-data")
        return no_form("send multipart/form-data, or application/json");
    NOTSO_TRY(const std::string boundary, boundary_of(content_type));
    std::ifstream file(body, std::ios::binary);
    const std::string head = read(file, 0, std::min(size, kMaxHeadBytes));
    if (!head.starts_with("--" + boundary + "\r\n")) return no_form("it does not begin as one");
    const std::size_t blank = head.find("\r\n\r\n");
    if (blank == std::string::npos) return no_form("its headers have no end");
    const std::uint64_t begin = blank + 4;
    const std::uint64_t tail_at = std::max(begin - 2, size - std::min(size, kMaxTailBytes));
    const std::string tail = read(file, tail_at, size - std::min(size, tail_at));
    const std::size_t end = tail.rfind("\r\n--" + boundary + "--");
    if (end == std::string::npos) return no_form("it has no end");
    return UploadRange{begin, std::max(begin, tail_at + end)};
}

}  // namespace notso::web

#include "services/archive/element_reader.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

namespace notso::services {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int kEnd = std::char_traits<char>::eof();
constexpr std::size_t kMaxDepth = 64;

bool is_blank(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

Result<ElementReader> ElementReader::open(const fs::path& path, FilePart part) {
    std::error_code error;
    if (!fs::is_regular_file(path, error))
        return fail(ErrorCode::kNotFound, "{} is not there, or no file", path.string());
    const std::uint64_t bytes = fs::file_size(path, error);
    if (!error && bytes > kMaxFileBytes)
        return fail(ErrorCode::kTooLarge,
                    "{} has {} bytes; at most {} can be imported: split it",
                    path.string(),
                    bytes,
                    kMaxFileBytes);
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorCode::kIo, "{} can't be read", path.string());
    const std::uint64_t end = std::min(part.end, bytes);
    const std::uint64_t begin = std::min(part.begin, end);
    file.seekg(static_cast<std::streamoff>(begin));
    const bool whole = begin == 0 && end == bytes;
    ElementReader reader(
        std::move(file), whole ? path.filename().string() : "the file", end - begin);
    NOTSO_CHECK(reader.read_beginning());
    return reader;
}

int ElementReader::get() {
    if (at_ == size_) return kEnd;
    const int c = file_.get();
    if (c != kEnd) ++at_;
    return c;
}

int ElementReader::skip_blanks() {
    int c = get();
    while (is_blank(c)) c = get();
    return c;
}

std::unexpected<Error> ElementReader::wrong(const char* what) const {
    return fail(
        ErrorCode::kInvalidArgument, "{}, byte {}: {}", name_, at_ == 0 ? 0 : at_ - 1, what);
}

Result<> ElementReader::read_beginning() {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";  // some programs write it
    int first = skip_blanks();
    if (first == static_cast<unsigned char>(kMark[0])) {
        const bool marked = get() == static_cast<unsigned char>(kMark[1]) &&
                            get() == static_cast<unsigned char>(kMark[2]);
        if (marked) first = skip_blanks();
    }
    array_ = first == '[';
    if (array_) return {};
    if (first != '{')
        return wrong("this is no JSON file of conversations: it must begin with [ or {");
    file_.unget();
    --at_;
    return {};
}

/// False at the end of the file's content.
Result<bool> ElementReader::skip_comma() {
    if (!array_) return number_ == 0;
    const int c = skip_blanks();
    if (c == ']') return false;
    if (number_ == 0) {
        file_.unget();
        --at_;
        return true;
    }
    if (c == ',') return true;
    return wrong(c == kEnd ? "the file ends in the middle: it is cut off"
                           : "a comma or ] must follow a conversation");
}

Result<std::string> ElementReader::read_object(int first) {
    if (first == kEnd) return wrong("the file ends in the middle: it is cut off");
    if (first != '{') return wrong("a conversation must be an object");
    std::string text(1, '{');
    std::size_t depth = 1;
    bool in_string = false;
    while (depth > 0) {
        const int c = get();
        if (c == kEnd) return wrong("the file ends in the middle: it is cut off");
        if (text.size() == kMaxElementBytes)
            return fail(ErrorCode::kTooLarge,
                        "{}: conversation {} at byte {} has more than {} bytes",
                        name_,
                        number_,
                        begin_,
                        kMaxElementBytes);
        text += static_cast<char>(c);
        if (c == '"') {
            in_string = !in_string;
        } else if (in_string && c == '\\') {
            const int escaped = get();
            if (escaped == kEnd) return wrong("the file ends in the middle: it is cut off");
            text += static_cast<char>(escaped);
        } else if (!in_string && (c == '{' || c == '[')) {
            ++depth;
        } else if (!in_string && (c == '}' || c == ']')) {
            --depth;
        }
    }
    return text;
}

Result<std::optional<json::object>> ElementReader::next() {
    if (std::exchange(ended_, true)) return std::nullopt;  // until this one turns out well
    NOTSO_TRY(const bool more, skip_comma());
    if (!more) {
        if (skip_blanks() != kEnd) return wrong("nothing may follow the conversations");
        return std::nullopt;
    }
    ++number_;
    const int first = skip_blanks();
    begin_ = at_ == 0 ? 0 : at_ - 1;
    NOTSO_TRY(const std::string text, read_object(first));
    json::error_code error;
    json::stream_parser parser({}, {.max_depth = kMaxDepth});
    const std::size_t used = parser.write_some(text, error);
    if (!error) parser.finish(error);
    if (error) {
        return fail(ErrorCode::kInvalidArgument,
                    "{}: conversation {} is no valid JSON at byte {}: {}",
                    name_,
                    number_,
                    begin_ + used,
                    error.message());
    }
    ended_ = false;
    return parser.release().as_object();
}

}  // namespace notso::services

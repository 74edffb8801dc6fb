#include "web/http/form_data.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>

#include "base/utf8.hpp"
#include "web/http/url.hpp"

namespace notso::web {
namespace {

constexpr std::size_t kMaxParts = 200;
constexpr std::size_t kMaxHeadBytes = 16 * 1024;
constexpr std::size_t kMaxTextBytes = std::size_t{4} << 20;
constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;

std::unexpected<Error> no_form(std::string_view what) {
    return fail(ErrorCode::kInvalidArgument, "the form can't be read: {}", what);
}

/// What a part says about itself.
struct PartHead {
    std::string name;
    std::optional<std::string> file;
};

/// Browsers write these three characters so, and no other.
std::string unescaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::string_view escape = text.substr(0, 3);
        const char c = escape == "%22"   ? '"'
                       : escape == "%0D" ? '\r'
                       : escape == "%0A" ? '\n'
                                         : '\0';
        out += c == '\0' ? text.front() : c;
        text.remove_prefix(c == '\0' ? 1 : escape.size());
    }
    return out;
}

/// The value of name="…" in a header.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
    const std::string mark = "; " + std::string(name) + "=\"";
    const std::size_t at = header.find(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view rest = header.substr(at + mark.size());
    const std::size_t end = rest.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    return unescaped(rest.substr(0, end));
}

Result<PartHead> read_part_head(std::string_view lines) {
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find("\r\n"));
        lines.remove_prefix(std::min(lines.size(), line.size() + 2));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return no_form("a header has no colon");
        if (to_lower(line.substr(0, colon)) != "content-disposition") continue;
        auto name = parameter(line.substr(colon), "name");
        if (!name) break;
        return PartHead{*std::move(name), parameter(line.substr(colon), "filename")};
    }
    return no_form("a part has no name");
}

bool is_text(std::string_view text) {
    const bool control = std::ranges::any_of(text, [](char c) {
        const auto value = static_cast<unsigned char>(c);
        return (value < 0x20 && c != '\t' && c != '\r' && c != '\n') || value == 0x7F;
    });
    return !control && is_valid_utf8(text);
}

class FormReader {
  public:
    FormReader(const std::filesystem::path& body, const std::string& boundary)
        : file_(body, std::ios::binary), line_("\r\n--" + boundary) {}

    Result<FormData> read() {
        if (text_at(0, line_.size() - 2) != line_.substr(2))
            return no_form("it does not begin as one");
        std::uint64_t at = line_.size() - 2;
        for (std::size_t n = 0; text_at(at, 2) != "--"; ++n) {
            if (n == kMaxParts)
                return fail(ErrorCode::kTooLarge, "the form has more than {} parts", kMaxParts);
            if (text_at(at, 2) != "\r\n") return no_form("it has no end");
            NOTSO_TRY(at, read_part(at + 2));
        }
        return std::move(form_);
    }

  private:
    /// @return Where the line after it goes on behind the boundary.
    Result<std::uint64_t> read_part(std::uint64_t at) {
        const std::string start = text_at(at, kMaxHeadBytes);
        const std::size_t blank = start.find("\r\n\r\n");
        if (blank == std::string::npos) return no_form("a part's headers have no end");
        NOTSO_TRY(PartHead head, read_part_head(std::string_view(start).substr(0, blank)));
        const std::uint64_t begin = at + blank + 4;
        const auto end = find_line(begin);
        if (!end) return no_form("it has no end");
        if (head.file) {
            const bool chosen = !head.file->empty() || *end > begin;
            if (chosen) form_.files.push_back({*std::move(head.file), begin, *end});
        } else {
            NOTSO_CHECK(add_field(std::move(head.name), begin, *end));
        }
        return *end + line_.size();
    }

    Result<> add_field(std::string name, std::uint64_t begin, std::uint64_t end) {
        text_bytes_ += name.size() + (end - begin);
        if (text_bytes_ > kMaxTextBytes)
            return fail(ErrorCode::kTooLarge, "the form has more than 4 MiB of text");
        std::string value = text_at(begin, static_cast<std::size_t>(end - begin));
        if (!is_text(name) || !is_text(value)) return no_form("a field is no text");
        form_.fields.emplace(std::move(name), std::move(value));
        return {};
    }

    /// Where the next line with the boundary begins.
    std::optional<std::uint64_t> find_line(std::uint64_t from) {
        while (true) {
            const std::string piece = text_at(from, kPieceBytes);
            const std::size_t found = piece.find(line_);
            if (found != std::string::npos) return from + found;
            if (piece.size() < kPieceBytes) return std::nullopt;
            from += piece.size() - (line_.size() - 1);
        }
    }

    std::string text_at(std::uint64_t begin, std::size_t size) {
        std::string text(size, '\0');
        file_.clear();
        file_.seekg(static_cast<std::streamoff>(begin));
        file_.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file_.gcount(), 0)));
        return text;
    }

    std::ifstream file_;
    const std::string line_;  // what stands between two parts
    std::size_t text_bytes_ = 0;
    FormData form_;
};

}  // namespace

Result<std::string> boundary_of(std::string_view content_type) {
    constexpr std::string_view kName = "boundary=";
    constexpr std::size_t kMost = 70;  // RFC 2046
    const std::size_t at = content_type.find(kName);
    if (at == std::string_view::npos) return no_form("it has no boundary");
    std::string_view value = content_type.substr(at + kName.size());
    value = value.substr(0, value.find(';'));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
    if (value.empty() || value.size() > kMost) return no_form("its boundary is too long");
    return std::string(value);
}

Result<FormData> read_form_data(const std::filesystem::path& body, std::string_view content_type) {
    NOTSO_TRY(const std::string boundary, boundary_of(content_type));
    return FormReader(body, boundary).read();
}

}  // namespace notso::web

#include "services/tools/read_document.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "services/tools/built_in.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::string_view kSchema = R"({
  "properties": {
    "name": {"type": "string", "maxLength": 500, "description": "Which attached file; may be left out where there is only one"},
    "offset": {"type": "integer", "minimum": 0, "description": "Where to go on in a long document, as the last answer said"},
    "first_page": {"type": "integer", "minimum": 1, "description": "Of a PDF"},
    "last_page": {"type": "integer", "minimum": 1, "description": "Of a PDF"}
  }
})";

constexpr std::size_t kPartBytes = 12 * 1024;  // of a document at a time

Result<Attachment> find_attachment(AttachmentShelf& shelf, const std::string& name) {
    NOTSO_TRY(const std::vector<Attachment> all, shelf.list());
    if (all.empty()) return fail(ErrorCode::kNotFound, "no file is attached to this conversation");
    if (name.empty() && all.size() == 1) return all.front();
    const auto found = std::ranges::find(all, name, &Attachment::name);
    if (found != all.end()) return *found;
    std::string names;
    for (const Attachment& each : all) names += (names.empty() ? "" : ", ") + each.name;
    return fail(ErrorCode::kNotFound, "no attached file has this name; there are: {}", names);
}

/// From 1; 0 = not said.
struct PageRange {
    std::int64_t first = 0;
    std::int64_t last = 0;
};

/// Some pages of a text in which a form feed ends each.
Result<std::string> pages_of(std::string text, const PageRange& pages) {
    if (pages.first == 0 && pages.last == 0) return text;
    std::string out;
    std::int64_t number = 1;
    for (std::size_t at = 0; at < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\f', at), text.size() - 1) + 1;
        const bool wanted = number >= pages.first && (pages.last == 0 || number <= pages.last);
        if (wanted) out.append(text, at, end - at);
        at = end;
    }
    if (!out.empty()) return out;
    return fail(ErrorCode::kNotFound, "these pages are not in it: it has {}", number - 1);
}

std::string part_of(const std::string& name, std::string_view text, std::size_t offset) {
    offset = truncate_utf8(text, offset).size();
    const std::string_view part = truncate_utf8(text.substr(offset), kPartBytes);
    const std::size_t end = offset + part.size();
    if (part.find_first_not_of(" \t\r\n\f") == std::string_view::npos)
        return fmt::format("[{}: no text here; a scanned document has only pictures]", name);
    if (end == text.size()) return std::string(part);
    return fmt::format(
        "{}\n[{} goes on: {} of {} bytes; next offset {}]", part, name, end, text.size(), end);
}

Result<std::string> read_document(const json::object& arguments, const ToolContext& context) {
    if (!context.attachments)
        return fail(ErrorCode::kNotFound, "no file is attached to this conversation");
    NOTSO_TRY(const Attachment file,
              find_attachment(*context.attachments, text_argument(arguments, "name")));
    NOTSO_TRY(std::string text, context.attachments->text(file, {context.deadline, context.stop}));
    NOTSO_TRY(text,
              pages_of(std::move(text),
                       {whole_argument(arguments, "first_page", 0),
                        whole_argument(arguments, "last_page", 0)}));
    return part_of(
        file.name, text, static_cast<std::size_t>(whole_argument(arguments, "offset", 0)));
}

}  // namespace

ToolPtr make_read_document() {
    ToolInfo info;
    info.name = "read_document";
    info.title = "Document";
    info.description =
        "Reads a text or PDF file that the person attached. Long documents come in parts.";
    info.timeout = std::chrono::seconds(30);
    return make_built_in(std::move(info), kSchema, read_document);
}

}  // namespace notso::services

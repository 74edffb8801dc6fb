#include "services/tools/read_document.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/utf8.hpp"
#include "services/process/child.hpp"
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

constexpr std::size_t kPartBytes = 12 * 1024;            // of a document at a time
constexpr std::size_t kMostTextBytes = 8 * 1024 * 1024;  // of what a document may hold
constexpr std::uint64_t kMostMemory = 512ULL << 20;
constexpr std::int64_t kMostCpuSeconds = 15;

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

/// At most `most` bytes and one: who asks sees that there are more.
Result<std::string> read_start(const std::filesystem::path& path, std::size_t most) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorCode::kIo, "the attached file can't be read any more");
    std::string bytes(most + 1, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes;
}

Result<std::string> pdf_text(const Attachment& file,
                             const json::object& arguments,
                             const ToolContext& context) {
    ChildOptions options{
        .program = "pdftotext", .max_memory_bytes = kMostMemory, .max_cpu_s = kMostCpuSeconds};
    options.arguments = {"-enc", "UTF-8", "-q"};
    for (const auto& [name, flag] : {std::pair{"first_page", "-f"}, std::pair{"last_page", "-l"}}) {
        const std::int64_t page = whole_argument(arguments, name, 0);
        if (page > 0)
            options.arguments.insert(options.arguments.end(), {flag, fmt::format("{}", page)});
    }
    // Absolute, so that no name is taken for an option.
    std::error_code error;
    options.arguments.push_back(std::filesystem::absolute(file.path, error).string());
    options.arguments.emplace_back("-");
    const RunLimits limits{
        .max_output_bytes = kMostTextBytes, .deadline = context.deadline, .stop = context.stop};
    auto out = run_to_end(options, limits);
    if (!out && out.error().code == ErrorCode::kNotFound)
        return fail(ErrorCode::kUnsupported,
                    "PDF files can't be read here: pdftotext (poppler-utils) is missing");
    if (!out && out.error().code == ErrorCode::kTooLarge)
        return fail(ErrorCode::kTooLarge,
                    "the document has too much text; ask for fewer pages (first_page, last_page)");
    if (!out) return std::unexpected(out.error());
    if (out->status != 0) {
        return fail(
            ErrorCode::kCorruptData,
            "the PDF can't be read: it is damaged or has a password, or these pages are not in it");
    }
    return std::move(out->output);
}

Result<std::string> plain_text(const Attachment& file) {
    NOTSO_TRY(std::string bytes, read_start(file.path, kMostTextBytes));
    if (bytes.size() > kMostTextBytes)
        return fail(
            ErrorCode::kTooLarge, "the file has more than {} bytes of text", kMostTextBytes);
    if (bytes.find('\0') != std::string::npos)
        return fail(ErrorCode::kUnsupported,
                    "this is neither text nor a PDF; only these can be read");
    return bytes;
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
    // What it is decides, not what it is called.
    constexpr std::size_t kHeaderPlace = 1024;
    NOTSO_TRY(const std::string start, read_start(file.path, kHeaderPlace));
    std::string text;
    if (start.find("%PDF-") != std::string::npos) {
        NOTSO_TRY(text, pdf_text(file, arguments, context));
    } else {
        NOTSO_TRY(text, plain_text(file));
    }
    if (!is_valid_utf8(text)) text = repair_utf8(text);
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

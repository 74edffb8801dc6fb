#include "app/terminal_files.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "app/answer.hpp"
#include "base/utf8.hpp"
#include "services/attachments/file_name.hpp"
#include "services/chat/message_files.hpp"

namespace notso::app {
namespace {

namespace fs = std::filesystem;

/// Neither blanks around it nor quotes, as a person types or drops it.
std::string typed_path(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string::npos) return {};
    std::string path = text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
    const bool quoted = path.size() > 1 && path.front() == path.back() &&
                        (path.front() == '"' || path.front() == '\'');
    return quoted ? path.substr(1, path.size() - 2) : path;
}

}  // namespace

Result<std::string> TerminalFiles::attach(const std::string& text) {
    const fs::path path(typed_path(text));
    std::error_code error;
    if (path.empty()) return fail(ErrorCode::kInvalidArgument, "which file? /attach FILE");
    if (!fs::is_regular_file(path, error))
        return fail(ErrorCode::kNotFound, "{} is not there, or no file", path.string());
    if (next_.size() == services::kMaxAttachments)
        return fail(ErrorCode::kInvalidArgument,
                    "a message takes at most {} files",
                    services::kMaxAttachments);
    const services::Attachment file{.name = services::clean_file_name(path.string()),
                                    .media_type = {},
                                    .path = fs::absolute(path, error),
                                    .bytes = fs::file_size(path, error)};
    Result<std::string> read = services::FixedShelf({file}).text(file, {});
    if (!read) return fail(read.error().code, "{}: {}", path.string(), read.error().detail);
    services::AttachedFile& next = next_.emplace_back();
    next.name = file.name;
    next.text_bytes = std::ssize(*read);
    next.text = truncate_utf8(*read, services::kMaxPromptBytes);
    all_.insert(all_.begin(), file);
    return fmt::format(
        "{} is attached ({} bytes of text)", terminal_safe(file.name), next.text_bytes);
}

Result<std::string> TerminalFiles::take_with(const std::string& text,
                                             services::ChatBackend& backend,
                                             const boost::json::array& tools) {
    if (next_.empty()) return text;
    services::PromptSource source{.conversation = {.id = {}, .title = {}},
                                  .messages = {{.id = {}, .conversation = {}, .text = text}},
                                  .tools = tools};
    source.messages.front().files = next_;
    NOTSO_CHECK(services::fit_files(backend, source));
    next_.clear();
    return services::prompt_text(source.messages.front());
}

std::shared_ptr<services::AttachmentShelf> TerminalFiles::shelf() const {
    return std::make_shared<services::FixedShelf>(all_);
}

void TerminalFiles::start_over() {
    next_.clear();
    all_.clear();
}

}  // namespace notso::app

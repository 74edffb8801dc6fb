#include "services/backend/sse_parser.hpp"

namespace notso::services {

Result<> SseParser::push(std::string_view bytes, const Handler& handler) {
    while (!bytes.empty()) {
        if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
        after_cr_ = false;
        const auto end = bytes.find_first_of("\r\n");
        line_ += bytes.substr(0, end);
        if (line_.size() + data_.size() > kMaxEventBytes) {
            return fail(ErrorCode::kTooLarge,
                        "an event of the stream has more than {} bytes",
                        kMaxEventBytes);
        }
        if (end == std::string_view::npos) return {};
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        if (!end_line(handler)) return {};
    }
    return {};
}

/// False when the handler wants no more.
bool SseParser::end_line(const Handler& handler) {
    std::string_view line = line_;
    if (at_start_ && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    at_start_ = false;
    bool go_on = true;
    if (line.empty()) {
        if (has_data_) go_on = handler(data_);
        data_.clear();
        has_data_ = false;
    } else if (line == "data" || line.starts_with("data:")) {
        line.remove_prefix(std::min<std::size_t>(line.size(), 5));
        if (line.starts_with(' ')) line.remove_prefix(1);
        if (has_data_) data_ += '\n';
        data_ += line;
        has_data_ = true;
    }
    line_.clear();
    return go_on;
}

}  // namespace notso::services

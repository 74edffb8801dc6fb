#include "services/backend/think_splitter.hpp"

#include <utility>

#include "base/utf8.hpp"
#include "services/prompt/thinking_flags.hpp"

namespace notso::services {
namespace {

/// Bytes at the end of `text` that may become `tag`.
std::size_t open_suffix(std::string_view text, std::string_view tag) {
    std::size_t size = std::min(text.size(), tag.size() - 1);
    while (!text.ends_with(tag.substr(0, size))) --size;
    return size;
}

}  // namespace

ThinkSplitter::Parts ThinkSplitter::push(std::string_view piece) {
    held_ += piece;
    Parts parts;
    if (mode_ == Mode::kOpening) open();
    if (mode_ == Mode::kThinkingBegins) skip_newlines(Mode::kThinking);
    if (mode_ == Mode::kThinking) think(parts);
    if (mode_ == Mode::kTextBegins) skip_newlines(Mode::kText);
    if (mode_ == Mode::kText) parts.text = std::exchange(held_, {});
    return parts;
}

/// Line ends that follow a tag belong to it.
void ThinkSplitter::skip_newlines(Mode next) {
    held_.erase(0, std::min(held_.find_first_not_of("\r\n"), held_.size()));
    if (!held_.empty()) mode_ = next;
}

/// White space before the tag belongs to it.
void ThinkSplitter::open() {
    std::string_view text = held_;
    text.remove_prefix(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
    if (text.starts_with(kThinkTag)) {
        mode_ = Mode::kThinkingBegins;
        held_ = std::string(text.substr(kThinkTag.size()));
    } else if (!kThinkTag.starts_with(text)) {
        mode_ = Mode::kText;
    }
}

void ThinkSplitter::think(Parts& parts) {
    const auto end = held_.find(kThinkEndTag);
    if (end != std::string::npos) {
        parts.thinking = held_.substr(0, end);
        held_.erase(0, end + kThinkEndTag.size());
        mode_ = Mode::kTextBegins;
        return;
    }
    const std::size_t keep = open_suffix(held_, kThinkEndTag);
    parts.thinking = held_.substr(0, held_.size() - keep);
    held_.erase(0, held_.size() - keep);
}

ThinkSplitter::Parts ThinkSplitter::finish() {
    Parts parts;
    (mode_ == Mode::kThinking ? parts.thinking : parts.text) = std::exchange(held_, {});
    mode_ = Mode::kText;
    return parts;
}

}  // namespace notso::services

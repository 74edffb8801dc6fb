#include "app/terminal/typed_message.hpp"

#include <utility>

namespace notso::app {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";
constexpr std::string_view kBlanks = " \t\r";

/// Two backslashes are two: only one that stands alone asks for another line.
bool goes_on(std::string_view line) {
    const std::size_t last = line.find_last_not_of('\\');
    const std::size_t count = line.size() - (last == std::string_view::npos ? 0 : last + 1);
    return count % 2 == 1;
}

}  // namespace

bool TypedMessage::add(std::string_view line) {
    if (state_ == State::kBlock) return add_to_block(line);
    const bool pasted = line.contains('\n');  // it is whole, whatever it looks like
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (state_ == State::kEmpty && !pasted && begin != std::string_view::npos &&
        line.substr(begin).starts_with(kQuotes)) {
        state_ = State::kBlock;
        at_first_line_ = true;
        const std::string_view rest = line.substr(begin + kQuotes.size());
        return rest.find_first_not_of(kBlanks) == std::string_view::npos ? false
                                                                         : add_to_block(rest);
    }
    if (pasted || !goes_on(line)) {
        text_ += line;
        return true;
    }
    line.remove_suffix(1);
    text_ += line;
    text_ += '\n';
    state_ = State::kGoesOn;
    return false;
}

bool TypedMessage::add_to_block(std::string_view line) {
    const std::size_t end = line.find_last_not_of(kBlanks);
    const std::string_view trimmed = line.substr(0, end == std::string_view::npos ? 0 : end + 1);
    const bool closes = trimmed.ends_with(kQuotes) && !line.contains('\n');
    if (closes) line = trimmed.substr(0, trimmed.size() - kQuotes.size());
    const bool only_quotes = closes && line.find_first_not_of(kBlanks) == std::string_view::npos;
    if (only_quotes) return true;
    if (!std::exchange(at_first_line_, false)) text_ += '\n';
    text_ += line;
    return closes;
}

std::string TypedMessage::take() {
    state_ = State::kEmpty;
    return std::exchange(text_, {});
}

}  // namespace notso::app

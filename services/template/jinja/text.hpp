// Values as text: Python's str() and repr(), JSON as Hugging Face's tojson writes it, and HTML
// escaping.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/template/jinja/value.hpp"

namespace notso::services::jinja {

/// Text that grows up to a limit. What is beyond is dropped and remembered, so that a hostile
/// template can't make it exceed its budget; writers stop early when full().
class TextBuilder {
  public:
    explicit TextBuilder(std::size_t limit) : limit_(limit) {}
    void add(std::string_view text) {
        if (text.size() > limit_ - text_.size()) {
            full_ = true;
        } else {
            text_.append(text);
        }
    }
    void add(char c) { add(std::string_view(&c, 1)); }
    void add_repeated(std::string_view text, std::int64_t times);
    bool full() const noexcept { return full_; }
    /// Counts how deep values nest while they are written; beyond the limit (a namespace may hold
    /// itself) nothing more fits.
    void enter() noexcept { full_ = full_ || ++depth_ > kMaxDepth; }
    void leave() noexcept { --depth_; }
    std::size_t size() const noexcept { return text_.size(); }
    /// The text, or kTooLarge when the limit was crossed.
    Result<std::string> finish() &&;

  private:
    std::size_t limit_;
    std::string text_;
    bool full_ = false;
    int depth_ = 0;
    static constexpr int kMaxDepth = 300;
};

/// Python's repr of a float: shortest digits that read back the same ("1.0", "1e-05", "inf").
std::string float_repr(double number);
/// Python's str().
void write_str(TextBuilder& out, const Value& value);
/// Python's repr().
void write_repr(TextBuilder& out, const Value& value);
void write_string_repr(TextBuilder& out, std::string_view text);
void write_items_repr(TextBuilder& out, const std::vector<Value>& items);
void write_dict_repr(TextBuilder& out, const Dict& dict);
/// Python's ascii(): a repr with escapes for what is not ASCII.
std::string ascii_of(std::string_view repr);
/// str() of a value that is known to be small (numbers, keys) or already a string.
std::string short_str(const Value& value);

/// How json.dumps was asked to write.
struct JsonStyle {
    bool ensure_ascii = false;
    bool sort_keys = false;
    bool html_safe = false;  ///< Pages: < > & ' as \u escapes, as Jinja's own tojson writes them.
    std::optional<std::string> indent = {};
    std::string item_separator = ", ";
    std::string key_separator = ": ";
};
/// @errors kInvalidArgument for values that JSON doesn't have, kTooLarge over the builder's limit.
Result<void> write_json(TextBuilder& out, const Value& value, const JsonStyle& style);

/// Escapes & < > " ' as Python's markupsafe does.
void write_escaped(TextBuilder& out, std::string_view text);

}  // namespace notso::services::jinja

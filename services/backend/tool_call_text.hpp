// What a model wrote as a call, read strictly: JSON as SmolLM3, Hermes, Qwen and Llama 3 write it,
// and Python calls with literals. Nothing is ever run; what is not wholly a call of an offered tool
// is no call.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/prompt/offered_tools.hpp"

namespace notso::services {

struct ParsedToolCall {
    std::string name;
    std::string arguments;  ///< A JSON object; where the model wrote JSON, to the byte.

    bool operator==(const ParsedToolCall&) const = default;
};

/// Follows a JSON text byte by byte: where its first object or array ends, and what is inside a
/// string.
class JsonScanner {
  public:
    /// @return False when the text can't be the beginning of an object or an array: it starts with
    /// something else.
    bool push(char c) noexcept;
    bool in_string() const noexcept { return in_string_; }
    /// The closing bracket of the outermost object or array came.
    bool complete() const noexcept { return complete_; }
    bool begun() const noexcept { return depth_ > 0 || complete_; }

  private:
    int depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
    bool complete_ = false;
};

/// {"name": …, "arguments" or "parameters": {…}}, also inside {"function": …}, or an array of such.
/// @param text  May have white space around it. @return Empty when it is anything else, or names a
/// tool that is not offered to be called so.
std::vector<ParsedToolCall> parse_json_calls(std::string_view text,
                                             const std::vector<OfferedTool>& tools);

/// Several such objects, one after another, with white space, commas or semicolons in between.
std::vector<ParsedToolCall> parse_json_call_list(std::string_view text,
                                                 const std::vector<OfferedTool>& tools);

/// Python statements that are calls of offered code tools with literal arguments, alone, assigned
/// to a name, or inside print(). Comments and empty lines may stand between. @return Empty when
/// anything else is in it.
std::vector<ParsedToolCall> parse_code_calls(std::string_view code,
                                             const std::vector<OfferedTool>& tools);

}  // namespace notso::services

// The tool markup that this program writes itself, in the words that SmolLM3 and the Hermes family
// were trained on: for templates that say nothing of tools, drop calls, or show results bare. Its
// tags are control tokens; what stands between them was written by others and gets guards before it
// comes here.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

inline constexpr std::string_view kToolCallTag = "<tool_call>";
inline constexpr std::string_view kToolCallEndTag = "</tool_call>";
inline constexpr std::string_view kCodeTag = "<code>";
inline constexpr std::string_view kCodeEndTag = "</code>";

/// The section that tells a model of its tools, for the end of a system text.
/// @param tools         As in the OpenAI API; called by JSON.
/// @param python_tools  Called by Python code; objects or signatures. Either may be empty.
/// @errors those of rendering (budgets).
Result<std::string> tools_section(const boost::json::array& tools,
                                  const boost::json::array& python_tools);

/// One call as a model writes it, without its tags: {"name": …, "arguments": …}. Arguments that
/// came as a text which is JSON stay as they are, to the byte. @param call  As in the OpenAI API.
std::string call_json(const boost::json::object& call);

/// `text` between its tags, each on a line of its own.
std::string tagged_call(std::string_view text);
std::string tagged_result(std::string_view text);

/// Arguments that came as text become the object they spell: templates were made for that.
boost::json::array with_parsed_arguments(const boost::json::array& calls);

}  // namespace notso::services

// Renders a chat template with plain variables, as Hugging Face's Python does: what `notso render`
// prints. No guards and no tokens: that is the prompt builder's work.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

/// @param source   The template; empty = ChatML.
/// @param request  Variables by name (messages, tools, enable_thinking…). What it leaves out:
/// bos_token "<s>",
///                 eos_token "</s>", add_generation_prompt true, tools null.
/// @param now      Frozen time for strftime_now, "2025-07-08T12:00:00"; absent = now.
/// @errors those of parsing and rendering the template.
Result<std::string> render_request(std::string_view source,
                                   const boost::json::object& request,
                                   const std::optional<std::string>& now);

/// The template used for models that bring none.
std::string_view chatml_template() noexcept;

}  // namespace notso::services

// What a chat template does with tools, found out by rendering small conversations with it:
// templates are judged by what they write, never by their text.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "services/template/template.hpp"

namespace notso::services {

/// How the results of tools are given to a template.
enum class ToolResultForm {
    kAsGiven,   ///< The template marks them itself.
    kWrapped,   ///< It shows them bare: they get our tags.
    kUserTurn,  ///< It drops or refuses the role: they become a turn of the user, with our tags.
};

struct TemplateTraits {
    /// Of "tools", "xml_tools" and "python_tools", those that change what it writes.
    std::vector<std::string> tool_variables = {};
    bool shows_calls =
        false;  ///< Calls in the history are written; otherwise we put them in the content.
    ToolResultForm results = ToolResultForm::kUserTurn;

    bool reads(std::string_view variable) const;
};

/// @param variables  What every rendering gets: bos_token and the like.
/// @cost About ten renderings of three messages.
TemplateTraits probe_template(const jinja::Template& chat_template,
                              const boost::json::object& variables);

/// The system text that the template puts in by itself where the messages have none; empty when
/// there is none.
std::string default_system_text(const jinja::Template& chat_template,
                                const jinja::RenderInput& input);

}  // namespace notso::services

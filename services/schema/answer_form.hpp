// AnswerForm: what an answer must look like, as a request says it: any JSON object, a JSON schema,
// or a grammar. Made and checked here; followed by the backends.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

struct AnswerForm {
    std::string gbnf = {};      ///< The grammar, with a rule `root`; empty = anything.
    bool is_generated = false;  ///< From a schema: wider limits than for grammars of clients.
    boost::json::object response_format = {};  ///< As in the OpenAI API, for servers that know it.

    bool is_free() const noexcept { return gbnf.empty(); }
};

/// Any JSON object.
AnswerForm json_object_form();
/// @errors kInvalidArgument naming the keyword and where it stands.
/// @cost Up to some 100 ms for the largest schemas.
Result<AnswerForm> json_schema_form(const boost::json::value& schema);
/// @errors kInvalidArgument with line and column. @cost As json_schema_form().
Result<AnswerForm> grammar_form(std::string_view gbnf);

}  // namespace notso::services

// See answer_form.hpp.
#include "services/schema/answer_form.hpp"

#include "services/schema/form_grammar.hpp"
#include "services/schema/schema_grammar.hpp"

namespace notso::services {
namespace {

constexpr ml::GrammarLimits kGeneratedLimits = {
    .max_bytes = 8 << 20, .max_depth = 256, .max_rules = 20'000, .max_repeat = 1'000'000};

Result<AnswerForm> checked(AnswerForm form) {
    NOTSO_CHECK(compile_form(form));
    return form;
}

}  // namespace

Result<std::shared_ptr<const ml::Grammar>> compile_form(const AnswerForm& form) {
    return ml::Grammar::from_gbnf(form.gbnf,
                                  form.is_generated ? kGeneratedLimits : ml::GrammarLimits());
}

AnswerForm json_object_form() { return {.gbnf = any_object_gbnf(), .is_generated = true}; }

Result<AnswerForm> json_schema_form(const boost::json::value& schema) {
    NOTSO_TRY(std::string gbnf, schema_to_gbnf(schema));
    return checked({.gbnf = std::move(gbnf), .is_generated = true});
}

Result<AnswerForm> grammar_form(std::string_view gbnf) {
    if (gbnf.empty()) return fail(ErrorCode::kInvalidArgument, "the grammar is empty");
    return checked({.gbnf = std::string(gbnf)});
}

}  // namespace notso::services

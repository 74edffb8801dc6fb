// The compiled grammar of an answer's form. Apart from answer_form.hpp, which layers above include
// that do not see ml.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "ml/grammar/grammar.hpp"
#include "services/schema/answer_form.hpp"

namespace notso::services {

/// @errors kInvalidArgument as the functions that make forms.
Result<std::shared_ptr<const ml::Grammar>> compile_form(const AnswerForm& form);

}  // namespace notso::services

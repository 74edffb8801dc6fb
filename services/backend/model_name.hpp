// The name of a model as the page shows it. Converters often leave a training run's name in the
// file's own metadata, so the name of the file is what people know the model by.
#pragma once

#include <string>
#include <string_view>

namespace notso::services {

/// "SmolLM2-135M-Instruct.Q4_1" with type "Q4_1" → "SmolLM2-135M-Instruct"; a stem that does not
/// end in the type, or is nothing else, stays as it is.
std::string model_display_name(std::string_view file_stem, std::string_view file_type);

}  // namespace notso::services

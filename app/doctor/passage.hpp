// The text that `notso doctor` lets a model read, and what known models make of it.
#pragma once

#include <optional>
#include <string_view>

#include "ml/model/model.hpp"

namespace notso::app::doctor {

/// Plain English, written for this purpose.
std::string_view passage();

/// Nats per token of the passage that a model should need.
struct ExpectedNats {
    double low;
    double high;
    bool known;  ///< Measured for this model; else the bounds of anything that knows English.
};

ExpectedNats expected_nats(const ml::ModelConfig& config);

}  // namespace notso::app::doctor

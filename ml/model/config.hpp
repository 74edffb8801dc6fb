// Reads a model's shape and constants from its GGUF keys, and believes none of them unchecked.
#pragma once

#include "base/result.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/architecture.hpp"
#include "ml/model/model.hpp"
#include "ml/model/rope.hpp"

namespace notso::ml {

struct ModelSpec {
    const Architecture* architecture = nullptr;
    ModelConfig config;
    RopeConfig rope;
};

/// @errors kCorruptData with the key and its value; kUnsupported for an architecture, a rope
/// scaling or an expert
///         model, by name.
Result<ModelSpec> read_spec(const gguf::File& file);

}  // namespace notso::ml

// Reads how positions become angles: {arch}.rope.* of a GGUF file.
#pragma once

#include "ml/model/key_reader.hpp"
#include "ml/model/model.hpp"
#include "ml/model/rope.hpp"

namespace notso::ml {

/// Reads base and scaling. YaRN and linear scaling that name the context they stretch raise
/// `config.context_length` to original × factor, which files that were only given the scaling keys
/// do not do themselves.
/// @param config  n_rot and context_length are set.
/// @errors kCorruptData with key and value; kUnsupported for a scaling, or a constant of one, that
///         would change the angles and that rope.hpp does not know.
Result<RopeConfig> read_rope(const KeyReader& keys, ModelConfig& config);

}  // namespace notso::ml

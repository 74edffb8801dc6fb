// Preview: what would run if a model file were loaded, told from its header alone. Works on files
// that can't run, and then says why.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/config.hpp"
#include "ml/model/memory_plan.hpp"
#include "ml/tokenizer/tokenizer.hpp"

namespace notso::ml {

/// One block type of the file.
struct PreviewType {
    std::string name;
    std::uint64_t n_tensors = 0;
    std::uint64_t bytes = 0;
    std::string kernel;  ///< "avx2", "avx2 (decoded first)", or empty: does not run.
};

struct ModelPreview {
    struct Problem {
        std::string part;    ///< "shape", "tensors", "tokenizer"
        std::string detail;  ///< As Model::load would say it.
    };
    std::vector<Problem> problems;   ///< Empty: it runs, where memory allows.
    std::optional<ModelSpec> spec;   ///< Empty when the shape can't be read.
    std::vector<PreviewType> types;  ///< By name.
    std::vector<std::int32_t> nope_layers;
    std::shared_ptr<const Tokenizer> tokenizer;  ///< Null when it can't be read.
    std::optional<MemoryPlan>
        memory;         ///< With an f16 cache; empty when the tensors don't fit the shape.
    bool fits = false;  ///< Whether `memory` fits in what is free now.
    std::uint64_t available_bytes = 0;  ///< Memory that this machine has free now.
};

/// @errors kUnsupported, kInvalidArgument: the machine itself (NOTSO_ISA); never the file.
/// @cost O(header); reads no weights.
Result<ModelPreview> preview_model(const gguf::File& file);

}  // namespace notso::ml

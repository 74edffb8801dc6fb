// Mixes: which block type each tensor of a quantised file gets. The rules are llama.cpp's (its
// llama-quant.cpp) for dense decoder models, so that a file written here has the types that people
// know under the same name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"

namespace notso::ml::quant {

/// A file type that `notso quantize` writes.
struct Mix {
    std::string_view name;    ///< e.g. "Q4_K_M"
    std::uint32_t file_type;  ///< Value of `general.file_type`.
    gguf::TensorType base;    ///< What most matrices get.
    bool more_bits;           ///< Q6_K for attn_v and ffn_down of about half of the layers.
};

std::span<const Mix> mixes() noexcept;

/// By name, in any case. @errors kInvalidArgument with the list of names.
Result<Mix> find_mix(std::string_view name);

/// What the rules ask of a model.
struct ModelShape {
    std::uint64_t n_layers = 0;
    bool shared_keys = false;  ///< Fewer key heads than query heads.
};

struct Choice {
    gguf::TensorType type;
    gguf::TensorType wanted;  ///< Other than `type` where the columns don't fill its blocks.
};

/// One choice per tensor. Tensors that are not quantised (one dimension, norms, biases, routers)
/// keep their type. Columns that don't fill blocks of 256 fall back from Q4_K to Q5_0, Q5_K to
/// Q5_1, Q6_K to Q8_0, and those that don't fill blocks of 32 to F16.
std::vector<Choice> choose_types(const Mix& mix,
                                 const ModelShape& shape,
                                 std::span<const gguf::Tensor> tensors);

}  // namespace notso::ml::quant

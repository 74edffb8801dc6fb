// Quantising a model file: what each tensor becomes, then the conversion itself, streamed in pieces
// of a few megabytes. Works on any GGUF whose tensors the engine can decode; it need not run the
// model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"
#include "ml/gguf/writer.hpp"
#include "ml/quant/mix.hpp"

namespace notso::ml::quant {

/// Tensors of one kind that could not have the type their mix gives them.
struct Fallback {
    gguf::TensorType wanted;
    gguf::TensorType type;
    std::uint64_t columns;
    std::uint64_t count;
    std::string_view first;  ///< Name of one of them.
};

struct Plan {
    Mix mix;
    std::vector<Choice> choices;  ///< One per tensor of the input.
    gguf::Layout layout;
    std::uint64_t n_converted = 0;
    std::uint64_t n_weights = 0;  ///< Of all tensors.
    std::vector<Fallback> fallbacks;
    std::string_view
        already_quantised;  ///< Type of a tensor that loses quality a second time; or empty.
};

/// Decides everything before the first byte is written. Views point into `file`.
/// @errors kUnsupported for a tensor that can't be decoded or a file that is one part of several;
/// kCorruptData when `general.architecture` or `{arch}.block_count` is missing.
Result<Plan> plan_quantization(const gguf::File& file, const Mix& mix);

struct Progress {
    std::string_view tensor;
    std::uint64_t done = 0;  ///< Weights so far.
    std::uint64_t total = 0;
};

struct QuantizeOptions {
    std::int32_t n_threads = 1;
    gguf::IfExists if_exists = gguf::IfExists::kRefuse;
    std::stop_token stop = {};
    std::function<void(const Progress&)> on_progress = {};  ///< Several times a second.
};

/// Writes the file. The bytes are the same for any number of threads.
/// @errors kInvalidArgument when `out` is the input; kCorruptData with tensor and index for a
/// weight that is NaN, infinite or above 65504 in magnitude; kCancelled; what gguf::Writer reports.
/// None leaves a file.
/// @cost memory about 48 MiB beside the header, whatever the model's size.
Result<> quantize(const gguf::File& file,
                  const Plan& plan,
                  const std::filesystem::path& out,
                  const QuantizeOptions& options);

}  // namespace notso::ml::quant

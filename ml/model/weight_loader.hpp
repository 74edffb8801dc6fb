// WeightLoader: brings planned tensors from the file into memory, each by one of several threads,
// in the layout that its kernel reads.
#pragma once

#include <span>

#include "base/result.hpp"
#include "ml/model/weight_plan.hpp"

namespace notso::ml {

/// Reads every tensor of the plan to its place in `memory` and sets the pointers to it. Progress is
/// told on the calling thread, which loads too.
/// @errors kIo, kOutOfMemory, kCancelled: the first that any thread met.
Result<> load_planned(const gguf::File& file,
                      const ModelSpec& spec,
                      const WeightOptions& options,
                      const WeightPlan& plan,
                      std::span<std::byte> memory);

}  // namespace notso::ml

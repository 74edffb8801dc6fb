// notso inspect --tensor: the weights of one tensor as plain numbers, for comparing decoders.
#pragma once

#include <string>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"

namespace notso::app {

/// Decodes the tensor `name` and writes it to the file `out`: little-endian float32 in the file's
/// order.
/// @errors kNotFound for an unknown name, kUnsupported for a type that the engine can't run, kIo;
/// they name the tensor or the file. @cost O(weights), 1 MiB of memory.
Result<> dump_tensor(const ml::gguf::File& file, const std::string& name, const std::string& out);

}  // namespace notso::app

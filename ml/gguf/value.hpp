// Values of GGUF metadata: reading one from the header, and looking at it as the type a caller
// wants.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/gguf/cursor.hpp"
#include "ml/gguf/file.hpp"

namespace notso::ml::gguf {

/// Reads a type number and a value of that type. `what` names the key in errors.
/// @errors kCorruptData: unknown type, nested array, count or length beyond the file, a boolean
/// that is neither 0 nor 1.
Result<Value> read_value(Cursor& in, std::string_view what);

/// Views of a value; kCorruptData names the key when the type is another one or an integer does not
/// fit.
Result<std::uint64_t> as_uint(const KeyValue& item);
Result<double> as_float(const KeyValue& item);
Result<bool> as_bool(const KeyValue& item);
Result<std::string_view> as_string(const KeyValue& item);
Result<std::vector<std::string_view>> as_strings(const KeyValue& item);
Result<std::vector<std::int64_t>> as_ints(const KeyValue& item);

}  // namespace notso::ml::gguf

// Operations on sequences of values that several filters share.
#pragma once

#include <optional>
#include <vector>

#include "services/template/jinja/interpreter.hpp"

namespace notso::services::jinja {

/// Looks up an attribute path ("a.b.0", or an integer) in a value, as the attribute= parameters of
/// filters do. A default replaces what is undefined on the way.
Result<Value> attribute_path(Interpreter& interpreter,
                             Value value,
                             const Value& path,
                             const Value* otherwise = nullptr);
Result<Items> map_attribute(Interpreter& interpreter, const Sequence& items, const Value& path);
/// Strings in lower case, other values as they are.
Value fold_case(const Value& value);

/// Positions of the keys in ascending (or descending) order; equal keys keep their order.
/// @errors kInvalidArgument when two keys can't be compared.
Result<std::vector<std::size_t>> sorted_order(Interpreter& interpreter,
                                              const std::vector<Value>& keys,
                                              bool descending = false);

/// A filter that gives a generator: the items are made when they are first asked for.
template <Result<std::vector<Value>> (*Make)(Interpreter&, const Value&, const CallArgs&)>
Result<Value> generator(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    return make_object<Generator>(
        [&interpreter, value, args] { return Make(interpreter, value, args); });
}

/// len(). @errors kInvalidArgument when the value has none.
Result<std::int64_t> length_of(const Value& value);

}  // namespace notso::services::jinja

// Python's operators on values: arithmetic, slices, and printf-style formatting behind the % of
// strings.
#pragma once

#include "services/template/jinja/interpreter.hpp"

namespace notso::services::jinja {

/// left op right. @errors kInvalidArgument for wrong types, division by zero, numbers over 64 bits.
Result<Value> arithmetic(Interpreter& interpreter,
                         Operator op,
                         const Value& left,
                         const Value& right);
/// -value or +value.
Result<Value> signed_value(const Value& value, bool negative);
/// left < right and the other three orders.
Result<bool> ordered(Comparison comparison, const Value& left, const Value& right);
/// base[start:stop:step]; each bound may be None.
struct SliceBounds {
    Value start = Value::none();
    Value stop = Value::none();
    Value step = Value::none();
};
Result<Value> slice(Interpreter& interpreter, const Value& base, const SliceBounds& bounds);
/// format % args: args is a tuple, a mapping for %(name)s, or one value.
Result<Value> percent_format(Interpreter& interpreter, const Value& format, const Value& args);
/// format.format(*args): `{}`, `{0}`, `{name}`, attributes, items, format specifications.
Result<Value> brace_format(Interpreter& interpreter, const Value& format, const CallArgs& args);
/// One value by a format specification such as ">8.2f" (Python's format()).
Result<std::string> format_value(Interpreter& interpreter,
                                 const Value& value,
                                 std::string_view specification);

/// The error for an operation that a type doesn't have, or what an undefined operand says.
std::unexpected<Error> unsupported(std::string_view operation,
                                   const Value& left,
                                   const Value& right);

}  // namespace notso::services::jinja

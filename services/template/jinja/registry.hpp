// Filters, tests, methods and globals by name. Each group lives in a file of its own and is one row
// here.
#pragma once

#include <span>
#include <string_view>

#include "services/template/jinja/interpreter.hpp"

namespace notso::services::jinja {

using FilterFunction = Result<Value> (*)(Interpreter&, const Value&, const CallArgs&);
using TestFunction = Result<bool> (*)(Interpreter&, const Value&, const CallArgs&);

struct NamedFilter {
    std::string_view name;
    FilterFunction function;
};
struct NamedTest {
    std::string_view name;
    TestFunction function;
};

/// nullptr when there is none.
FilterFunction find_filter(std::string_view name);
TestFunction find_test(std::string_view name);
/// The method of a str, list, tuple, dict or number, called with the value itself first; nullptr
/// when the type has none.
FilterFunction find_method(const Value& value, std::string_view name);
/// real, imag, numerator and denominator of a bool, int or float; nothing for other names.
std::optional<Value> number_attribute(const Value& value, std::string_view name);
/// Methods that would change a list or dict: known, but never given out.
bool is_mutating_method(const Value& value, std::string_view name);
/// A global function or value; nullptr when there is none.
const Value* find_global(std::string_view name);

// The groups.
std::span<const NamedFilter> text_filters();
std::span<const NamedFilter> format_filters();
std::span<const NamedFilter> html_filters();
std::span<const NamedFilter> number_filters();
std::span<const NamedFilter> sequence_filters();
std::span<const NamedFilter> select_filters();
std::span<const NamedFilter> order_filters();
std::span<const NamedFilter> page_filters();
std::span<const NamedFilter> pprint_filters();
std::span<const NamedFilter> wrap_filters();
std::span<const NamedFilter> string_methods();
std::span<const NamedFilter> string_search_methods();
std::span<const NamedFilter> string_class_methods();
std::span<const NamedFilter> list_methods();
std::span<const NamedFilter> dict_methods();
std::span<const NamedFilter> integer_methods();
std::span<const NamedFilter> float_methods();
std::span<const NamedTest> value_tests();

/// The characters of a string, each as a string.
Result<Items> characters(Interpreter& interpreter, const Value& string);

}  // namespace notso::services::jinja

// The tests behind `is`: defined, string, mapping, divisibleby, comparisons…
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

template <bool (*Holds)(const Value&)>
Result<bool> simple(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"test", {}}));
    return Holds(value);
}

bool is_iterable(const Value& value) {
    if (value.is_object()) return value.as_object().iterable();
    return value.is_undefined() || value.is_string() || value.is_sequence() || value.is_dict();
}

// Python asks for a length and for []: undefined has both.
bool is_sequence(const Value& value) {
    if (value.is_object()) return value.as<Range>() != nullptr;
    return is_iterable(value);
}

bool is_callable(const Value& value) {
    return value.is_undefined() || (value.is_object() && value.as_object().callable());
}

template <Comparison Op>
Result<bool> compares(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"test", {"other"}, 1}));
    if (Op == Comparison::kEq) return equals(value, bound[0]);
    if (Op == Comparison::kNe) return !equals(value, bound[0]);
    return ordered(Op, value, bound[0]);
}

Result<bool> divides(Interpreter& interpreter,
                     const Value& value,
                     const Value& divisor,
                     std::int64_t rest) {
    NOTSO_TRY(const auto modulo, arithmetic(interpreter, Operator::kMod, value, divisor));
    return equals(modulo, Value::integer(rest));
}

Result<bool> test_odd(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"odd", {}}));
    return divides(interpreter, value, Value::integer(2), 1);
}

Result<bool> test_even(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"even", {}}));
    return divides(interpreter, value, Value::integer(2), 0);
}

Result<bool> test_divisibleby(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"divisibleby", {"num"}, 1}));
    return divides(interpreter, value, bound[0], 0);
}

Result<bool> test_sameas(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"sameas", {"other"}, 1}));
    return value.same_as(bound[0]);
}

Result<bool> test_in(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"in", {"seq"}, 1}));
    return interpreter.contains(bound[0], value);
}

// At least one cased character, and none of the other case.
template <unicode::Property Wanted>
Result<bool> test_case(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"test", {}}));
    NOTSO_TRY(const auto text, interpreter.text_of(value));
    constexpr std::uint16_t kOther =
        (unicode::kUpper | unicode::kLower | unicode::kTitle) & ~Wanted;
    bool found = false;
    for (const char32_t c : unicode::decode(text)) {
        if (unicode::has(c, kOther)) return false;
        found = found || unicode::has(c, Wanted);
    }
    return found;
}

std::unexpected<Error> unhashable(const Value& value) {
    return fail(ErrorCode::kInvalidArgument, "a '{}' is no name", value.type_name());
}

Result<bool> test_filter(Interpreter&, const Value& value, const CallArgs&) {
    if (!hash_of(value)) return unhashable(value);
    return value.is_string() && find_filter(value.text()) != nullptr;
}

Result<bool> test_test(Interpreter&, const Value& value, const CallArgs&) {
    if (!hash_of(value)) return unhashable(value);
    return value.is_string() && find_test(value.text()) != nullptr;
}

constexpr NamedTest kTests[] = {
    {"defined", simple<[](const Value& v) { return !v.is_undefined(); }>},
    {"undefined", simple<[](const Value& v) { return v.is_undefined(); }>},
    {"none", simple<[](const Value& v) { return v.is_none(); }>},
    {"boolean", simple<[](const Value& v) { return v.is_bool(); }>},
    {"true", simple<[](const Value& v) { return v.is_bool() && v.as_bool(); }>},
    {"false", simple<[](const Value& v) { return v.is_bool() && !v.as_bool(); }>},
    {"integer", simple<[](const Value& v) { return v.is_int(); }>},
    {"float", simple<[](const Value& v) { return v.is_float(); }>},
    {"number", simple<[](const Value& v) { return v.is_number(); }>},
    {"string", simple<[](const Value& v) { return v.is_string(); }>},
    {"mapping", simple<[](const Value& v) { return v.is_dict(); }>},
    {"escaped", simple<[](const Value& v) { return v.is_markup(); }>},
    {"iterable", simple<is_iterable>},
    {"sequence", simple<is_sequence>},
    {"callable", simple<is_callable>},
    {"lower", test_case<unicode::kLower>},
    {"upper", test_case<unicode::kUpper>},
    {"odd", test_odd},
    {"even", test_even},
    {"divisibleby", test_divisibleby},
    {"sameas", test_sameas},
    {"in", test_in},
    {"filter", test_filter},
    {"test", test_test},
    {"eq", compares<Comparison::kEq>},
    {"==", compares<Comparison::kEq>},
    {"equalto", compares<Comparison::kEq>},
    {"ne", compares<Comparison::kNe>},
    {"!=", compares<Comparison::kNe>},
    {"lt", compares<Comparison::kLt>},
    {"<", compares<Comparison::kLt>},
    {"lessthan", compares<Comparison::kLt>},
    {"le", compares<Comparison::kLe>},
    {"<=", compares<Comparison::kLe>},
    {"gt", compares<Comparison::kGt>},
    {">", compares<Comparison::kGt>},
    {"greaterthan", compares<Comparison::kGt>},
    {"ge", compares<Comparison::kGe>},
    {">=", compares<Comparison::kGe>},
};

}  // namespace

std::span<const NamedTest> value_tests() { return kTests; }

}  // namespace notso::services::jinja

// Arithmetic with Python's rules; see operators.hpp.
#include "services/template/jinja/operators.hpp"

#include <bit>
#include <cmath>

namespace notso::services::jinja {
namespace {

std::unexpected<Error> too_large() {
    return fail(ErrorCode::kInvalidArgument, "the result doesn't fit in 64 bits");
}

std::unexpected<Error> by_zero() { return fail(ErrorCode::kInvalidArgument, "division by zero"); }

Result<Value> power(std::int64_t base, std::int64_t exponent) {
    std::int64_t result = 1;
    while (true) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result))
            return too_large();
        exponent >>= 1;
        if (exponent == 0) return Value::integer(result);
        if (__builtin_mul_overflow(base, base, &base)) return too_large();
    }
}

Result<Value> power(double base, double exponent) {
    if (base == 0 && exponent < 0) return by_zero();
    if (base < 0 && std::isfinite(exponent) && exponent != std::floor(exponent)) {
        return fail(ErrorCode::kInvalidArgument, "the result is a complex number");
    }
    const double result = std::pow(base, exponent);
    if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent)) return too_large();
    return Value::real(result);
}

std::int64_t floor_mod(std::int64_t left, std::int64_t right) {
    if (right == -1) return 0;
    const std::int64_t rest = left % right;
    return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
}

double floor_mod(double left, double right) {
    double rest = std::fmod(left, right);
    if (rest != 0 && (rest < 0) != (right < 0)) rest += right;
    return rest == 0 ? std::copysign(0.0, right) : rest;
}

double floor_divide(double left, double right) {
    const double rest = floor_mod(left, right);
    const double quotient = (left - rest) / right;
    if (quotient == 0) return std::copysign(0.0, left / right);
    const double whole = std::floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

std::uint64_t size_of(std::int64_t number) {
    return number < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(number)
                      : static_cast<std::uint64_t>(number);
}

// left / right rounded once, also where a double can't hold the two.
double quotient(std::int64_t left, std::int64_t right) {
    const std::uint64_t above = size_of(left);
    const std::uint64_t below = size_of(right);
    constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
    if (above <= kExact && below <= kExact)
        return static_cast<double>(left) / static_cast<double>(right);
    // More bits than a double has, and one that says whether there is more.
    const int shift = std::max(0, std::countl_zero(above) + 57 - std::countl_zero(below));
    __extension__ using Wide = unsigned __int128;
    const Wide scaled = Wide{above} << shift;
    const auto whole = static_cast<std::uint64_t>(scaled / below);
    const std::uint64_t rest = scaled % below != 0 ? 1 : 0;
    const double size = std::ldexp(static_cast<double>(whole | rest), -shift);
    return (left < 0) != (right < 0) ? -size : size;
}

Result<Value> integer_arithmetic(Operator op, std::int64_t left, std::int64_t right) {
    std::int64_t result = 0;
    switch (op) {
        case Operator::kAdd:
            if (__builtin_add_overflow(left, right, &result)) return too_large();
            return Value::integer(result);
        case Operator::kSub:
            if (__builtin_sub_overflow(left, right, &result)) return too_large();
            return Value::integer(result);
        case Operator::kMul:
            if (__builtin_mul_overflow(left, right, &result)) return too_large();
            return Value::integer(result);
        case Operator::kDiv:
            if (right == 0) return by_zero();
            return Value::real(quotient(left, right));
        case Operator::kFloorDiv:
            if (right == 0) return by_zero();
            if (right == -1) return integer_arithmetic(Operator::kSub, 0, left);
            return Value::integer(left / right -
                                  (left % right != 0 && (left < 0) != (right < 0) ? 1 : 0));
        case Operator::kMod:
            if (right == 0) return by_zero();
            return Value::integer(floor_mod(left, right));
        case Operator::kPow:
            if (right < 0) return power(static_cast<double>(left), static_cast<double>(right));
            return power(left, right);
    }
    return too_large();
}

Result<Value> float_arithmetic(Operator op, double left, double right) {
    const bool divides = op == Operator::kDiv || op == Operator::kFloorDiv || op == Operator::kMod;
    if (divides && right == 0) return by_zero();
    switch (op) {
        case Operator::kAdd:
            return Value::real(left + right);
        case Operator::kSub:
            return Value::real(left - right);
        case Operator::kMul:
            return Value::real(left * right);
        case Operator::kDiv:
            return Value::real(left / right);
        case Operator::kFloorDiv:
            return Value::real(floor_divide(left, right));
        case Operator::kMod:
            return Value::real(floor_mod(left, right));
        case Operator::kPow:
            break;
    }
    return power(left, right);
}

// Where one side is HTML the other is escaped and the whole is HTML.
Result<Value> join_strings(Interpreter& interpreter, const Value& left, const Value& right) {
    const bool markup = left.is_markup() || right.is_markup();
    TextBuilder out = interpreter.builder();
    for (const Value* side : {&left, &right}) {
        markup && !side->is_markup() ? write_escaped(out, side->text()) : out.add(side->text());
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return markup ? Value::markup(std::move(text)) : Value::string(std::move(text));
}

Result<Value> repeat(Interpreter& interpreter, const Value& value, std::int64_t times) {
    if (value.is_string()) {
        TextBuilder out = interpreter.builder();
        out.add_repeated(value.text(), times);
        NOTSO_TRY(auto text, std::move(out).finish());
        return value.is_markup() ? Value::markup(std::move(text)) : Value::string(std::move(text));
    }
    const auto& items = value.items();
    std::vector<Value> out;
    for (std::int64_t i = 0; i < times && !items.empty(); ++i) {
        NOTSO_CHECK(interpreter.spend(1 + static_cast<std::int64_t>(items.size())));
        out.insert(out.end(), items.begin(), items.end());
    }
    return value.is_list() ? Value::list(std::move(out)) : Value::tuple(std::move(out));
}

Result<Value> join_items(Interpreter& interpreter, const Value& left, const Value& right) {
    NOTSO_CHECK(interpreter.spend(
        static_cast<std::int64_t>((left.items().size() + right.items().size()) / 8)));
    std::vector<Value> out = left.items();
    out.insert(out.end(), right.items().begin(), right.items().end());
    return left.is_list() ? Value::list(std::move(out)) : Value::tuple(std::move(out));
}

std::string_view symbol(Operator op) {
    constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "**"};
    return kSymbols[static_cast<std::size_t>(op)];
}

}  // namespace

std::unexpected<Error> unsupported(std::string_view operation,
                                   const Value& left,
                                   const Value& right) {
    for (const Value* side : {&left, &right}) {
        if (side->is_undefined())
            return fail(ErrorCode::kInvalidArgument, "{}", side->undefined_message());
    }
    return fail(ErrorCode::kInvalidArgument,
                "'{}' doesn't work on '{}' and '{}'",
                operation,
                left.type_name(),
                right.type_name());
}

Result<Value> arithmetic(Interpreter& interpreter,
                         Operator op,
                         const Value& left,
                         const Value& right) {
    if (left.is_integral() && right.is_integral())
        return integer_arithmetic(op, left.as_int(), right.as_int());
    if (left.is_number() && right.is_number())
        return float_arithmetic(op, left.as_double(), right.as_double());
    if (op == Operator::kMod && left.is_string()) {
        return percent_format(interpreter, left, right);
    }
    if (op == Operator::kAdd) {
        if (left.is_string() && right.is_string()) return join_strings(interpreter, left, right);
        if (left.is_sequence() && right.is_sequence() && left.is_list() == right.is_list()) {
            return join_items(interpreter, left, right);
        }
    }
    if (op == Operator::kMul) {
        const bool repeats_left = left.is_string() || left.is_sequence();
        const bool repeats_right = right.is_string() || right.is_sequence();
        if (repeats_left && right.is_integral()) return repeat(interpreter, left, right.as_int());
        if (left.is_integral() && repeats_right) return repeat(interpreter, right, left.as_int());
    }
    return unsupported(symbol(op), left, right);
}

Result<bool> ordered(Comparison comparison, const Value& left, const Value& right) {
    const bool swapped = comparison == Comparison::kGt || comparison == Comparison::kGe;
    const bool or_equal = comparison == Comparison::kLe || comparison == Comparison::kGe;
    const Value& small = swapped ? right : left;
    const Value& large = swapped ? left : right;
    NOTSO_TRY(const bool less, less_than(small, large));
    return less || (or_equal && equals(left, right));
}

Result<Value> signed_value(const Value& value, bool negative) {
    if (value.is_float()) return Value::real(negative ? -value.as_double() : value.as_double());
    if (!value.is_integral()) return unsupported(negative ? "-" : "+", value, value);
    return negative ? integer_arithmetic(Operator::kSub, 0, value.as_int())
                    : Value::integer(value.as_int());
}

}  // namespace notso::services::jinja

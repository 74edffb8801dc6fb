#include "services/tools/calculator/functions.hpp"

#include <algorithm>
#include <boost/math/constants/constants.hpp>

namespace notso::services::calculator {
namespace {

using Arguments = std::vector<Number>;

constexpr std::size_t kMany = 1000;

Result<Number> no_value(std::string_view why) {
    return fail(ErrorCode::kInvalidArgument, "{}", why);
}

Number pi() { return boost::math::constants::pi<Real>(); }

bool is_exactly(const Number& number, int value) {
    return exact(number) != nullptr && *exact(number) == value;
}

/// What a real function gives; exact(0) stays exact where the function is 0 or 1 there.
template <Real (*kFunction)(const Real&)>
Result<Number> real_function(const Math& math, const Arguments& arguments) {
    return math.checked(kFunction(real(arguments[0])));
}

/// Sine and the like: of arguments so large that their place on the circle is not known, nothing.
/// @return a value that is zero but for the rounding of pi as zero.
template <Real (*kFunction)(const Real&)>
Result<Number> circle_function(const Math& math, const Arguments& arguments) {
    const Real x = real(arguments[0]);
    if (mp::abs(x) > Real("1e20"))
        return no_value("the angle is too large (over 10^20) to know its place on the circle");
    const Real value = kFunction(x);
    const Real noise = (mp::abs(x) + 1) * Real("1e-55");
    return math.checked(mp::abs(value) < noise ? Real(0) : value);
}

Real sin_of(const Real& x) { return mp::sin(x); }
Real cos_of(const Real& x) { return mp::cos(x); }
Real tan_of(const Real& x) { return mp::tan(x); }
Real asin_of(const Real& x) { return mp::asin(x); }
Real acos_of(const Real& x) { return mp::acos(x); }
Real atan_of(const Real& x) { return mp::atan(x); }
Real exp_of(const Real& x) { return mp::exp(x); }
Real sinh_of(const Real& x) { return mp::sinh(x); }
Real cosh_of(const Real& x) { return mp::cosh(x); }
Real tanh_of(const Real& x) { return mp::tanh(x); }

Result<Number> sin_exact(const Math& math, const Arguments& a) {
    return is_zero(a[0]) ? a[0] : circle_function<sin_of>(math, a);
}
Result<Number> cos_exact(const Math& math, const Arguments& a) {
    return is_zero(a[0]) ? Number(Rational(1)) : circle_function<cos_of>(math, a);
}
Result<Number> tan_exact(const Math& math, const Arguments& a) {
    if (is_zero(a[0])) return a[0];
    NOTSO_TRY(const Number cosine, circle_function<cos_of>(math, a));
    if (is_zero(cosine)) return no_value("the tangent has no value there");
    return circle_function<tan_of>(math, a);
}

template <Real (*kFunction)(const Real&)>
Result<Number> inverse_function(const Math& math, const Arguments& a) {
    if (mp::abs(real(a[0])) > 1) return no_value("asin and acos need a value from -1 to 1");
    return math.checked(kFunction(real(a[0])));
}

template <Real (*kFunction)(const Real&)>
Result<Number> growing_function(const Math& math, const Arguments& a) {
    if (mp::abs(real(a[0])) > Real(math.limits().max_digits) * 3)  // e^3 > 10
        return std::unexpected(math.too_large());
    return math.checked(kFunction(real(a[0])));
}

Result<Number> exponential(const Math& math, const Arguments& a) {
    if (is_zero(a[0])) return Rational(1);
    return growing_function<exp_of>(math, a);
}

/// Of a value that is whole. Boost's conversion negates the exponent of zero, the least int.
Integer integer_of(const Real& value) { return value == 0 ? Integer(0) : Integer(value); }

Result<Number> log_to_base(const Math& math, const Number& value, const Number& base) {
    if (is_zero(value) || is_negative(value)) return no_value("a logarithm needs a value over 0");
    if (is_zero(base) || is_negative(base) || is_exactly(base, 1))
        return no_value("the base of a logarithm must be over 0 and not 1");
    if (is_exactly(value, 1)) return Rational(0);
    const Real result = mp::log(real(value)) / mp::log(real(base));
    if (exact(value) && exact(base) && mp::abs(result) < math.limits().max_digits * 4) {
        const Integer near = integer_of(mp::round(result));
        const auto back = math.power(base, Rational(near));
        if (back && exact(*back) && *exact(*back) == *exact(value)) return Rational(near);
    }
    return math.checked(result);
}

Result<Number> natural_log(const Math& math, const Arguments& a) {
    if (is_zero(a[0]) || is_negative(a[0])) return no_value("a logarithm needs a value over 0");
    if (is_exactly(a[0], 1)) return Rational(0);
    return math.checked(Real(mp::log(real(a[0]))));
}

Result<Number> log10_of(const Math& math, const Arguments& a) {
    return log_to_base(math, a[0], a.size() > 1 ? a[1] : Number(Rational(10)));
}

Result<Number> log2_of(const Math& math, const Arguments& a) {
    return log_to_base(math, a[0], Rational(2));
}

Result<Number> absolute(const Math& math, const Arguments& a) {
    if (exact(a[0])) return math.checked(Rational(mp::abs(*exact(a[0]))));
    return math.checked(Real(mp::abs(real(a[0]))));
}

Result<Number> round_down(const Math& math, const Number& a) {
    if (exact(a)) return math.checked(Rational(floor_of(*exact(a))));
    const Real down = mp::floor(real(a));
    if (down.backend().order() > 55) return math.checked(down);  // its last digits aren't known
    return math.checked(Rational(integer_of(down)));
}

Result<Number> floor_function(const Math& math, const Arguments& a) {
    return round_down(math, a[0]);
}

Result<Number> ceil_function(const Math& math, const Arguments& a) {
    NOTSO_TRY(const Number minus, math.subtract(Rational(0), a[0]));
    NOTSO_TRY(const Number down, round_down(math, minus));
    return math.subtract(Rational(0), down);
}

/// Half away from zero, as people round.
Result<Number> round_away(const Math& math, const Number& a) {
    const Rational half(1, 2);
    if (is_negative(a)) {
        NOTSO_TRY(const Number lower, math.subtract(a, half));
        return ceil_function(math, {lower});
    }
    NOTSO_TRY(const Number upper, math.add(a, half));
    return round_down(math, upper);
}

Result<Number> round_function(const Math& math, const Arguments& a) {
    if (a.size() == 1) return round_away(math, a[0]);
    const auto places = small_whole(a[1]);
    if (!places) return no_value("round takes a whole number of places");
    NOTSO_TRY(const Rational scale, math.power_of_ten(*places));
    NOTSO_TRY(const Number scaled, math.multiply(a[0], scale));
    NOTSO_TRY(const Number rounded, round_away(math, scaled));
    return math.divide(rounded, scale);
}

Result<Number> truncate_function(const Math& math, const Arguments& a) {
    return is_negative(a[0]) ? ceil_function(math, a) : floor_function(math, a);
}

Result<Number> sign_function(const Math& /*math*/, const Arguments& a) {
    if (is_zero(a[0])) return Rational(0);
    return Rational(is_negative(a[0]) ? -1 : 1);
}

Result<Number> least(const Math& math, const Arguments& a) {
    NOTSO_CHECK(math.check_time());
    return *std::ranges::min_element(a, [](auto& x, auto& y) { return compare(x, y) < 0; });
}

Result<Number> greatest(const Math& math, const Arguments& a) {
    NOTSO_CHECK(math.check_time());
    return *std::ranges::max_element(a, [](auto& x, auto& y) { return compare(x, y) < 0; });
}

Result<Number> sum_of(const Math& math, const Arguments& a) {
    Number sum = Rational(0);
    for (const Number& each : a) {
        NOTSO_TRY(sum, math.add(sum, each));
    }
    return sum;
}

Result<Number> mean_of(const Math& math, const Arguments& a) {
    NOTSO_TRY(const Number sum, sum_of(math, a));
    return math.divide(sum, Rational(static_cast<std::int64_t>(a.size())));
}

Result<Number> median_of(const Math& math, const Arguments& a) {
    Arguments sorted = a;
    std::ranges::sort(sorted, [](auto& x, auto& y) { return compare(x, y) < 0; });
    const std::size_t middle = sorted.size() / 2;
    if (sorted.size() % 2 == 1) return sorted[middle];
    return mean_of(math, {sorted[middle - 1], sorted[middle]});
}

template <bool kLeastMultiple>
Result<Number> common(const Math& math, const Arguments& a) {
    Integer result = kLeastMultiple ? 1 : 0;
    for (const Number& each : a) {
        const auto value = whole(each);
        if (!value) return no_value("gcd and lcm need whole numbers");
        result = kLeastMultiple ? Integer(mp::lcm(result, *value)) : mp::gcd(result, *value);
        NOTSO_CHECK(math.checked(Rational(result)));
    }
    return Rational(mp::abs(result));
}

template <bool kOrdered>
Result<Number> choose(const Math& math, const Arguments& a) {
    const auto n = whole(a[0]);
    auto k = small_whole(a[1]);
    if (!n || !k || *n < 0 || *k < 0)
        return no_value("this needs two whole numbers that are not negative");
    if (*k > *n) return Rational(0);
    if (kOrdered) return math.falling(*n, *k);
    if (*n - *k < *k) k = Integer(*n - *k).convert_to<std::int64_t>();
    // In steps that stay whole: C(n, i+1) = C(n, i) (n - i) / (i + 1).
    Number result = Rational(1);
    for (std::int64_t i = 0; i < *k; ++i) {
        NOTSO_TRY(result, math.multiply(result, Rational(Integer(*n - i), Integer(i + 1))));
    }
    return result;
}

Result<Number> square_root(const Math& math, const Arguments& a) { return math.root(a[0], 2); }
Result<Number> cube_root(const Math& math, const Arguments& a) { return math.root(a[0], 3); }

Result<Number> any_root(const Math& math, const Arguments& a) {
    const auto n = small_whole(a[1]);
    if (!n || *n < 1) return no_value("root(x, n) needs a whole number n from 1");
    return math.root(a[0], *n);
}

Result<Number> hypotenuse(const Math& math, const Arguments& a) {
    NOTSO_TRY(const Number x, math.multiply(a[0], a[0]));
    NOTSO_TRY(const Number y, math.multiply(a[1], a[1]));
    NOTSO_TRY(const Number sum, math.add(x, y));
    return math.root(sum, 2);
}

Result<Number> to_degrees(const Math& math, const Arguments& a) {
    NOTSO_TRY(const Number half_turns, math.divide(a[0], pi()));
    return math.multiply(half_turns, Rational(180));
}

constexpr Function kFunctions[] = {
    {"abs", 1, 1, absolute},
    {"acos", 1, 1, inverse_function<acos_of>},
    {"asin", 1, 1, inverse_function<asin_of>},
    {"atan", 1, 1, real_function<atan_of>},
    {"average", 1, kMany, mean_of},
    {"avg", 1, kMany, mean_of},
    {"cbrt", 1, 1, cube_root},
    {"ceil", 1, 1, ceil_function},
    {"choose", 2, 2, choose<false>},
    {"cos", 1, 1, cos_exact},
    {"cosh", 1, 1, growing_function<cosh_of>},
    {"degrees", 1, 1, to_degrees},
    {"exp", 1, 1, exponential},
    {"factorial", 1, 1, [](const Math& m, const Arguments& a) { return m.factorial(a[0]); }},
    {"floor", 1, 1, floor_function},
    {"gcd", 1, kMany, common<false>},
    {"hypot", 2, 2, hypotenuse},
    {"lcm", 1, kMany, common<true>},
    {"ln", 1, 1, natural_log},
    {"log", 1, 2, log10_of},
    {"log10", 1, 1, log10_of},
    {"log2", 1, 1, log2_of},
    {"max", 1, kMany, greatest},
    {"mean", 1, kMany, mean_of},
    {"median", 1, kMany, median_of},
    {"min", 1, kMany, least},
    {"mod", 2, 2, [](const Math& m, const Arguments& a) { return m.modulo(a[0], a[1]); }},
    {"ncr", 2, 2, choose<false>},
    {"npr", 2, 2, choose<true>},
    {"pow", 2, 2, [](const Math& m, const Arguments& a) { return m.power(a[0], a[1]); }},
    {"radians", 1, 1, [](const Math& m, const Arguments& a) { return from_degrees(m, a[0]); }},
    {"root", 2, 2, any_root},
    {"round", 1, 2, round_function},
    {"sign", 1, 1, sign_function},
    {"sin", 1, 1, sin_exact},
    {"sinh", 1, 1, growing_function<sinh_of>},
    {"sqrt", 1, 1, square_root},
    {"sum", 1, kMany, sum_of},
    {"tan", 1, 1, tan_exact},
    {"tanh", 1, 1, growing_function<tanh_of>},
    {"trunc", 1, 1, truncate_function},
};

}  // namespace

const Function* find_function(std::string_view name) {
    const auto* found = std::ranges::find(kFunctions, name, &Function::name);
    return found == std::end(kFunctions) ? nullptr : found;
}

std::optional<Number> constant(std::string_view name) {
    if (name == "pi" || name == "π") return pi();
    if (name == "e") return boost::math::constants::e<Real>();
    if (name == "tau") return Real(boost::math::constants::pi<Real>() * 2);
    if (name == "phi") return boost::math::constants::phi<Real>();
    return std::nullopt;
}

std::string function_names() {
    std::string out;
    for (const Function& function : kFunctions) {
        if (!out.empty()) out += ", ";
        out += function.name;
    }
    return out;
}

Result<Number> from_degrees(const Math& math, const Number& degrees) {
    NOTSO_TRY(const Number turns, math.divide(degrees, Rational(180)));
    return math.multiply(turns, pi());
}

}  // namespace notso::services::calculator

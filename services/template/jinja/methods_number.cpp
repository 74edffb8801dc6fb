// Methods and attributes of int, float and bool.
#include <bit>
#include <cmath>

#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"

namespace notso::services::jinja {
namespace {

std::uint64_t magnitude(const Value& value) {
    const std::int64_t number = value.as_int();
    return number < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(number)
                      : static_cast<std::uint64_t>(number);
}

Result<Value> bit_length(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"bit_length", {}}));
    return Value::integer(std::bit_width(magnitude(self)));
}

Result<Value> bit_count(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"bit_count", {}}));
    return Value::integer(std::popcount(magnitude(self)));
}

Result<Value> conjugate(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"conjugate", {}}));
    return self.is_float() ? self : Value::integer(self.as_int());
}

Result<Value> integer_ratio(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"as_integer_ratio", {}}));
    if (self.is_integral()) return Value::tuple({Value::integer(self.as_int()), Value::integer(1)});
    const double number = self.as_double();
    if (!std::isfinite(number))
        return fail(ErrorCode::kInvalidArgument, "{} is no ratio of integers", number);
    int exponent = 0;
    auto numerator = static_cast<std::int64_t>(std::ldexp(std::frexp(number, &exponent), 53));
    exponent -= 53;
    for (; exponent < 0 && numerator % 2 == 0 && numerator != 0; ++exponent) numerator /= 2;
    if (numerator == 0) exponent = 0;
    const auto bits = std::bit_width(magnitude(Value::integer(numerator)));
    if (exponent < -62 || (exponent > 0 && bits + exponent > 63)) {
        return fail(ErrorCode::kInvalidArgument, "the result doesn't fit in 64 bits");
    }
    if (exponent > 0) numerator *= std::int64_t{1} << exponent;
    const std::int64_t denominator = exponent < 0 ? std::int64_t{1} << -exponent : 1;
    return Value::tuple({Value::integer(numerator), Value::integer(denominator)});
}

Result<Value> is_integer(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"is_integer", {}}));
    const double number = self.as_double();
    return Value::boolean(std::isfinite(number) && number == std::floor(number));
}

Result<Value> hex(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"hex", {}}));
    const double number = self.as_double();
    if (!std::isfinite(number)) return Value::string(float_repr(number));
    const auto bits = std::bit_cast<std::uint64_t>(number);
    const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
    const auto exponent = static_cast<int>((bits >> 52) & 0x7FF);
    const std::string_view sign = std::signbit(number) ? "-" : "";
    if (number == 0) return Value::string(fmt::format("{}0x0.0p+0", sign));
    return Value::string(fmt::format("{}0x{}.{:013x}p{:+}",
                                     sign,
                                     exponent == 0 ? 0 : 1,
                                     fraction,
                                     exponent == 0 ? -1022 : exponent - 1023));
}

constexpr NamedFilter kIntegerMethods[] = {
    {"bit_length", bit_length},
    {"bit_count", bit_count},
    {"conjugate", conjugate},
    {"as_integer_ratio", integer_ratio},
};
constexpr NamedFilter kFloatMethods[] = {
    {"is_integer", is_integer},
    {"conjugate", conjugate},
    {"as_integer_ratio", integer_ratio},
    {"hex", hex},
};

}  // namespace

std::span<const NamedFilter> integer_methods() { return kIntegerMethods; }
std::span<const NamedFilter> float_methods() { return kFloatMethods; }

std::optional<Value> number_attribute(const Value& value, std::string_view name) {
    const Value number = value.is_float() ? value : Value::integer(value.as_int());
    if (name == "real") return number;
    if (name == "imag") return value.is_float() ? Value::real(0.0) : Value::integer(0);
    if (value.is_float()) return std::nullopt;
    if (name == "numerator") return number;
    if (name == "denominator") return Value::integer(1);
    return std::nullopt;
}

}  // namespace notso::services::jinja

// Filters on numbers: int, float, round, abs, filesizeformat.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "services/template/jinja/args.hpp"
#include "services/template/jinja/number_text.hpp"
#include "services/template/jinja/registry.hpp"

namespace notso::services::jinja {
namespace {

std::unexpected<Error> over_64_bits() {
    return fail(ErrorCode::kInvalidArgument, "the result doesn't fit in 64 bits");
}

Result<Value> integer_of(double number, const Value& otherwise) {
    if (!std::isfinite(number)) return otherwise;
    if (number < -0x1p63 || number >= 0x1p63) return over_64_bits();
    return Value::integer(static_cast<std::int64_t>(number));
}

constexpr int kNoBase = 1;  // in which nothing is a number

Result<Value> filter_int(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"int", {"default", "base"}}));
    const std::int64_t base = !bound.has(1)            ? 10
                              : bound[1].is_integral() ? bound[1].as_int()
                                                       : kNoBase;
    const Value otherwise = bound.has(0) ? bound[0] : Value::integer(0);
    if (value.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
    if (value.is_integral()) return Value::integer(value.as_int());
    if (value.is_float()) return integer_of(value.as_double(), otherwise);
    if (!value.is_string()) return otherwise;
    const bool known = base >= 0 && base <= 36;
    if (const auto number =
            parse_python_int(value.text(), known ? static_cast<int>(base) : kNoBase))
        return Value::integer(*number);
    const auto number = parse_python_float(value.text());
    return number ? integer_of(*number, otherwise) : otherwise;
}

Result<Value> filter_float(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"float", {"default"}}));
    const Value otherwise = bound.has(0) ? bound[0] : Value::real(0.0);
    if (value.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
    if (value.is_number()) return Value::real(value.as_double());
    if (!value.is_string()) return otherwise;
    const auto number = parse_python_float(value.text());
    return number ? Value::real(*number) : otherwise;
}

Result<Value> round_integer(std::int64_t number, std::int64_t precision) {
    if (precision >= 0) return Value::integer(number);
    if (precision < -18) return Value::integer(0);
    std::int64_t unit = 1;
    for (std::int64_t i = precision; i < 0; ++i) unit *= 10;
    std::int64_t rest = number % unit;
    std::int64_t down = number - rest;
    if (rest < 0) {
        rest += unit;
        down -= unit;
    }
    const bool up = rest * 2 > unit || (rest * 2 == unit && (down / unit) % 2 != 0);
    return Value::integer(up ? down + unit : down);
}

// Rounds the exact decimal value of the number, halves to even, as Python does.
double round_float(double number, std::int64_t precision) {
    if (!std::isfinite(number) || precision > 330) return number;
    if (precision < -330) return std::copysign(0.0, number);
    if (precision >= 0)
        return std::strtod(fmt::format("{:.{}f}", number, precision).c_str(), nullptr);
    const double unit = std::pow(10.0, static_cast<double>(-precision));
    return std::nearbyint(number / unit) * unit;
}

Result<Value> filter_round(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"round", {"precision", "method"}}));
    NOTSO_TRY(const std::int64_t precision, bound.integer(0, 0));
    NOTSO_TRY(const auto method, bound.text(1, "common"));
    if (method != "common" && method != "ceil" && method != "floor") {
        return fail(ErrorCode::kInvalidArgument,
                    "round: the method is 'common', 'ceil' or 'floor', not '{}'",
                    method);
    }
    if (value.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
    if (!value.is_number()) {
        return fail(
            ErrorCode::kInvalidArgument, "round works on numbers, not '{}'", value.type_name());
    }
    if (method == "common") {
        if (value.is_integral()) return round_integer(value.as_int(), precision);
        return Value::real(round_float(value.as_double(), precision));
    }
    if (value.is_integral() && precision >= 0) return Value::real(value.as_double());
    const double unit = std::pow(10.0, static_cast<double>(precision));
    const double scaled = value.as_double() * unit;
    if (unit == 0 || !std::isfinite(unit) || !std::isfinite(scaled))
        return fail(ErrorCode::kInvalidArgument, "round: the result is no number");
    return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit);
}

Result<Value> filter_abs(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"abs", {}}));
    if (value.is_float()) return Value::real(std::abs(value.as_double()));
    if (value.is_integral() && value.as_int() != INT64_MIN)
        return Value::integer(std::abs(value.as_int()));
    if (value.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
    return fail(ErrorCode::kInvalidArgument, "abs works on numbers, not '{}'", value.type_name());
}

Result<Value> filter_filesizeformat(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"filesizeformat", {"binary"}}));
    const auto text_number =
        value.is_string() ? parse_python_float(value.text()) : std::optional<double>();
    if (!value.is_number() && !text_number) {
        return fail(ErrorCode::kInvalidArgument,
                    "filesizeformat works on numbers, not '{}'",
                    value.type_name());
    }
    const bool binary = bound.truth(0, false);
    const double base = binary ? 1024 : 1000;
    double bytes = text_number ? *text_number : value.as_double();
    if (bytes == 1) return Value::string("1 Byte");
    if (bytes < base && (!std::isfinite(bytes) || bytes < -0x1p63)) return over_64_bits();
    if (bytes < base)
        return Value::string(fmt::format("{} Bytes", static_cast<std::int64_t>(bytes)));
    constexpr std::string_view kPrefixes = "kMGTPEZY";
    std::size_t step = 0;
    double unit = base * base;
    while (bytes >= unit && step + 1 < kPrefixes.size()) {
        unit *= base;
        ++step;
    }
    const char prefix = binary && step == 0 ? 'K' : kPrefixes[step];
    return Value::string(
        fmt::format("{:.1f} {}{}", base * bytes / unit, prefix, binary ? "iB" : "B"));
}

// Digits of any script become 0 to 9. They stand in rows of ten, so that the distance from where
// the row begins is the number.
char digit_of(char32_t c) {
    char32_t first = c;
    while (unicode::has(first - 1, unicode::kDecimal)) --first;
    return static_cast<char>('0' + (c - first) % 10);
}

// What int() and float() read: without white space around, digits of other scripts made plain.
std::string plain_digits(std::string_view text) {
    std::string out;
    for (const char32_t c : unicode::decode(text)) {
        const bool ascii = c < 0x7F;
        if (!ascii && unicode::has(c, unicode::kSpace)) {
            out += ' ';
        } else {
            out += ascii                                ? static_cast<char>(c)
                   : unicode::has(c, unicode::kDecimal) ? digit_of(c)
                                                        : '?';
        }
    }
    constexpr std::string_view kSpaces = " \t\n\r\f\v";
    const std::size_t first = std::min(out.find_first_not_of(kSpaces), out.size());
    return out.substr(first, out.find_last_not_of(kSpaces) + 1 - first);
}

constexpr NamedFilter kNumberFilters[] = {
    {"int", filter_int},
    {"float", filter_float},
    {"round", filter_round},
    {"abs", filter_abs},
    {"filesizeformat", filter_filesizeformat},
};

}  // namespace

std::optional<std::int64_t> parse_python_int(std::string_view text, int base) {
    std::string digits = plain_digits(text);
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.erase(0, 1);
    const std::size_t prefix = digits.size() > 2 && digits[0] == '0' ? 2 : 0;
    const char kind = prefix != 0 ? static_cast<char>(digits[1] | 0x20) : '\0';
    const int implied = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
    if (implied != 0 && (base == implied || base == 0)) {
        digits.erase(0, 2);
        base = implied;
        if (digits.starts_with('_')) digits.erase(0, 1);
    } else if (base == 0) {
        if (digits.size() > 1 && digits[0] == '0' &&
            digits.find_first_not_of("0_") != std::string::npos)
            return {};
        base = 10;
    }
    if (base < 2 || base > 36 || !remove_digit_separators(digits)) return std::nullopt;
    if (negative) digits.insert(digits.begin(), '-');
    std::int64_t number = 0;
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number, base);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return number;
}

std::optional<double> parse_python_float(std::string_view text) {
    std::string digits = plain_digits(text);
    const bool signed_number = digits.starts_with('-') || digits.starts_with('+');
    const std::string body = unicode::lower(std::string_view(digits).substr(signed_number ? 1 : 0));
    const bool word = body == "inf" || body == "infinity" || body == "nan";
    if (!word && (body.empty() || body.find_first_not_of("0123456789._e+-") != std::string::npos))
        return std::nullopt;
    if (!word && !remove_digit_separators(digits)) return std::nullopt;
    if (digits.starts_with('+')) digits.erase(0, 1);
    double number = 0;
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number);
    if (read.ptr != end || digits.empty()) return std::nullopt;
    if (read.ec == std::errc::result_out_of_range) return std::strtod(digits.c_str(), nullptr);
    return read.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

// Removes single underscores between digits; false when one stands elsewhere.
bool remove_digit_separators(std::string& digits) {
    const auto alnum = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (digits[i] != '_') continue;
        if (i == 0 || i + 1 == digits.size() || !alnum(digits[i - 1]) || !alnum(digits[i + 1]))
            return false;
    }
    std::erase(digits, '_');
    return !digits.empty();
}

std::span<const NamedFilter> number_filters() { return kNumberFilters; }

}  // namespace notso::services::jinja

#include "services/tools/calculator/format.hpp"

#include <cmath>

namespace notso::services::calculator {
namespace {

constexpr std::size_t kShownDigits = 15;    // of a value that is not exact
constexpr std::size_t kMostDecimals = 40;   // of a finite decimal
constexpr std::size_t kMostFraction = 120;  // characters of a fraction
constexpr std::int64_t kPlainFrom = -7;     // smaller and larger ones are written with an exponent
constexpr std::int64_t kPlainTo = 20;

/// Decimal digits d.ddd… and the exponent of ten of the first.
struct Digits {
    std::string text;
    std::int64_t exponent = 0;
};

/// Cuts to the shown digits, rounding half away from zero, and drops zeros at the end.
Digits rounded(Digits digits) {
    if (digits.text.size() > kShownDigits) {
        const bool up = digits.text[kShownDigits] >= '5';
        digits.text.resize(kShownDigits);
        std::size_t i = kShownDigits;
        while (up && i > 0 && digits.text[i - 1] == '9') digits.text[--i] = '0';
        if (up && i > 0) ++digits.text[i - 1];
        if (up && i == 0) {
            digits.text.insert(0, 1, '1');
            ++digits.exponent;
        }
    }
    while (digits.text.size() > 1 && digits.text.back() == '0') digits.text.pop_back();
    return digits;
}

std::string plain(const Digits& digits) {
    const auto count = static_cast<std::int64_t>(digits.text.size());
    if (digits.exponent < 0)
        return "0." + std::string(static_cast<std::size_t>(-digits.exponent - 1), '0') +
               digits.text;
    if (digits.exponent + 1 >= count)
        return digits.text +
               std::string(static_cast<std::size_t>(digits.exponent + 1 - count), '0');
    const auto point = static_cast<std::size_t>(digits.exponent + 1);
    return digits.text.substr(0, point) + "." + digits.text.substr(point);
}

std::string written(const Digits& digits) {
    if (digits.exponent >= kPlainFrom && digits.exponent <= kPlainTo) return plain(digits);
    std::string mantissa = digits.text.substr(0, 1);
    if (digits.text.size() > 1) mantissa += "." + digits.text.substr(1);
    return fmt::format("{}e{}", mantissa, digits.exponent);
}

/// Of a value over 0: its first digits, cut, not rounded, and more than are shown.
Digits digits_of(const Rational& value) {
    const Integer& top = mp::numerator(value);
    const Integer& bottom = mp::denominator(value);
    // Within one of the exponent of ten; the digits themselves tell it exactly.
    const auto bits = static_cast<double>(mp::msb(top)) - static_cast<double>(mp::msb(bottom));
    const auto lead = static_cast<std::int64_t>(std::floor(bits * 0.30102999566398120));
    const auto shift = static_cast<std::int64_t>(kShownDigits) + 3 - lead;
    const Integer scale = mp::pow(Integer(10), static_cast<unsigned>(std::abs(shift)));
    const std::string text =
        (shift >= 0 ? Integer(top * scale / bottom) : Integer(top / (bottom * scale))).str();
    return {text, static_cast<std::int64_t>(text.size()) - 1 - shift};
}

Digits digits_of(const Real& value) {
    constexpr int kEnough = 45;
    const std::string text = value.str(kEnough, std::ios_base::scientific);
    const auto e = text.find('e');
    Digits digits{.text = text.substr(0, e), .exponent = std::stoll(text.substr(e + 1))};
    std::erase(digits.text, '.');
    return digits;
}

/// A finite decimal that is not too long, or nothing.
std::optional<std::string> finite_decimal(const Rational& value) {
    Integer rest = mp::denominator(value);
    std::size_t twos = 0;
    std::size_t fives = 0;
    for (; rest % 2 == 0 && twos <= kMostDecimals; ++twos) rest /= 2;
    for (; rest % 5 == 0 && fives <= kMostDecimals; ++fives) rest /= 5;
    const std::size_t decimals = std::max(twos, fives);
    if (rest != 1 || decimals > kMostDecimals) return std::nullopt;
    const Integer scale = mp::pow(Integer(10), static_cast<unsigned>(decimals));
    const Integer scaled = mp::numerator(value) * scale / mp::denominator(value);
    std::string text = scaled.str();
    if (text.size() > kMostFraction) return std::nullopt;
    if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
    if (decimals > 0) text.insert(text.size() - decimals, 1, '.');
    return text;
}

std::string exact_text(const Rational& value, std::string_view sign) {
    if (mp::denominator(value) == 1) return fmt::format("{}{}", sign, mp::numerator(value).str());
    if (const auto decimal = finite_decimal(value)) return fmt::format("{}{}", sign, *decimal);
    const std::string about = written(rounded(digits_of(value)));
    // Only short ones help; to write a long one would also take long.
    constexpr unsigned kMostBits = 400;
    if (mp::msb(mp::numerator(value)) + mp::msb(mp::denominator(value)) < kMostBits) {
        const std::string fraction =
            mp::numerator(value).str() + "/" + mp::denominator(value).str();
        if (fraction.size() <= kMostFraction)
            return fmt::format("{}{} ≈ {}{}", sign, fraction, sign, about);
    }
    return fmt::format("≈ {}{}", sign, about);
}

}  // namespace

std::string format(const Number& number) {
    const std::string_view sign = is_negative(number) ? "-" : "";
    if (const Rational* value = exact(number)) return exact_text(mp::abs(*value), sign);
    const Real value = mp::abs(std::get<Real>(number));
    if (value == 0) return "≈ 0";
    return fmt::format("≈ {}{}", sign, written(rounded(digits_of(value))));
}

}  // namespace notso::services::calculator

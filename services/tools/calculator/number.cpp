#include "services/tools/calculator/number.hpp"

#include <cmath>

namespace notso::services::calculator {
namespace {

constexpr int kRealDigits = 60;
constexpr std::int64_t kMostExactRoot = 64;  // of higher ones an exact value is rare, and slow
// A sum that is so much smaller than its parts is rounding noise, such as sqrt(2)^2 - 2.
const char* const kNoise = "1e-45";

double log10_of(const Integer& a) {
    const auto bits = static_cast<double>(mp::msb(a));
    return bits * 0.30102999566398120;  // a little too small: of the highest bit alone
}

/// Digits of a number's whole part and of its denominator, at least.
double size_of(const Rational& a) {
    const Integer top = mp::abs(mp::numerator(a));
    const Integer& bottom = mp::denominator(a);
    return std::max(top == 0 ? 0.0 : log10_of(top), log10_of(bottom));
}

Integer ten_to(std::int64_t exponent) {
    return mp::pow(Integer(10), static_cast<unsigned>(exponent));
}

/// The quotient with enough digits that nothing is lost in a Real.
Real quotient(const Integer& top, const Integer& bottom) {
    if (top == 0) return Real(0);
    const Integer size = mp::abs(top);
    const auto lead = static_cast<std::int64_t>(log10_of(size) - log10_of(bottom));
    const std::int64_t shift = kRealDigits + 20 - lead;
    const Integer scaled = shift >= 0 ? Integer(size * ten_to(shift) / bottom)
                                      : Integer(size / (bottom * ten_to(-shift)));
    const Real value(scaled.str() + fmt::format("e{}", -shift));
    return top < 0 ? Real(-value) : value;
}

/// The logarithm of the absolute value, exact to all digits also close to 1.
Real log_of(const Number& a) {
    const Real size = mp::abs(real(a));
    if (!exact(a)) return mp::log(size);
    const Rational over = mp::abs(*exact(a)) - 1;
    const Real rest = quotient(mp::numerator(over), mp::denominator(over));
    if (mp::abs(rest) > Real("1e-10")) return mp::log(size);
    Real sum = 0;
    Real power = rest;
    for (int i = 1; i <= 8; ++i, power *= -rest) sum += power / i;
    return sum;
}

Result<Number> drop_noise(const Math& math, Real sum, const Real& a, const Real& b) {
    const Real size = std::max(Real(mp::abs(a)), Real(mp::abs(b)));
    if (mp::abs(sum) < size * Real(kNoise)) sum = 0;
    return math.checked(std::move(sum));
}

}  // namespace

std::optional<Integer> whole(const Number& number) {
    const Rational* value = exact(number);
    if (value == nullptr || mp::denominator(*value) != 1) return std::nullopt;
    return Integer(mp::numerator(*value));
}

std::optional<std::int64_t> small_whole(const Number& number) {
    const auto value = whole(number);
    constexpr std::int64_t kMost = std::int64_t{1} << 62;
    if (!value || mp::abs(*value) > kMost) return std::nullopt;
    return value->convert_to<std::int64_t>();
}

bool is_zero(const Number& number) {
    return std::visit([](const auto& value) { return value == 0; }, number);
}

bool is_negative(const Number& number) {
    return std::visit([](const auto& value) { return value < 0; }, number);
}

Integer floor_of(const Rational& a) {
    const Integer& bottom = mp::denominator(a);
    Integer quotient_down;
    Integer rest;
    mp::divide_qr(Integer(mp::numerator(a)), Integer(bottom), quotient_down, rest);
    return rest < 0 ? Integer(quotient_down - 1) : quotient_down;
}

Real real(const Number& number) {
    if (const Real* value = std::get_if<Real>(&number)) return *value;
    const Rational& value = std::get<Rational>(number);
    return quotient(mp::numerator(value), mp::denominator(value));
}

int compare(const Number& a, const Number& b) {
    if (exact(a) && exact(b)) return exact(a)->compare(*exact(b));
    return real(a).compare(real(b));
}

Math::Math(const Limits& limits)
    : limits_(limits),
      deadline_(SteadyClock::now() + limits.time),
      bound_(ten_to(limits.max_digits)) {}

Error Math::too_large() const {
    return {ErrorCode::kTooLarge,
            fmt::format("the result, or a value on the way, has more than {} digits; use smaller "
                        "numbers, or logarithms",
                        limits_.max_digits)};
}

Result<> Math::check_time() const {
    if (SteadyClock::now() < deadline_) return {};
    return fail(ErrorCode::kTimeout,
                "the calculation takes longer than {} ms; make it smaller",
                limits_.time.count());
}

Result<Number> Math::checked(Rational value) const {
    NOTSO_CHECK(check_time());
    if (mp::abs(mp::numerator(value)) < bound_ && mp::denominator(value) < bound_) return value;
    if (mp::denominator(value) == 1) return std::unexpected(too_large());
    return checked(quotient(mp::numerator(value), mp::denominator(value)));
}

Result<Number> Math::checked(Real value) const {
    NOTSO_CHECK(check_time());
    if (!mp::isfinite(value))
        return fail(ErrorCode::kInvalidArgument, "the result is not a real number");
    if (value == 0) return value;
    if (value.backend().order() >= limits_.max_digits) return std::unexpected(too_large());
    if (value.backend().order() <= -limits_.max_digits) {
        return fail(ErrorCode::kTooLarge,
                    "the result, or a value on the way, is closer to 0 than 10^-{}",
                    limits_.max_digits);
    }
    return value;
}

Result<Number> Math::add(const Number& a, const Number& b) const {
    if (exact(a) && exact(b)) return checked(Rational(*exact(a) + *exact(b)));
    const Real x = real(a);
    const Real y = real(b);
    return drop_noise(*this, x + y, x, y);
}

Result<Number> Math::subtract(const Number& a, const Number& b) const {
    if (exact(a) && exact(b)) return checked(Rational(*exact(a) - *exact(b)));
    const Real x = real(a);
    const Real y = real(b);
    return drop_noise(*this, x - y, x, y);
}

Result<Number> Math::multiply(const Number& a, const Number& b) const {
    if (exact(a) && exact(b)) return checked(Rational(*exact(a) * *exact(b)));
    return checked(Real(real(a) * real(b)));
}

Result<Number> Math::divide(const Number& a, const Number& b) const {
    if (is_zero(b)) return fail(ErrorCode::kInvalidArgument, "division by zero has no result");
    if (exact(a) && exact(b)) return checked(Rational(*exact(a) / *exact(b)));
    return checked(Real(real(a) / real(b)));
}

Result<Number> Math::modulo(const Number& a, const Number& b) const {
    if (is_zero(b))
        return fail(ErrorCode::kInvalidArgument, "the rest of a division by zero has no value");
    if (exact(a) && exact(b)) {
        const Rational times = floor_of(*exact(a) / *exact(b));
        return checked(Rational(*exact(a) - *exact(b) * times));
    }
    const Real x = real(a);
    const Real y = real(b);
    return checked(Real(x - y * mp::floor(x / y)));
}

Result<Rational> Math::power_of_ten(std::int64_t exponent) const {
    if (std::abs(exponent) >= limits_.max_digits) return std::unexpected(too_large());
    const Integer size = ten_to(std::abs(exponent));
    return exponent >= 0 ? Rational(size) : Rational(Integer(1), size);
}

Result<Number> Math::power(const Number& base, const Number& exponent) const {
    if (is_zero(exponent)) return Rational(1);
    if (is_zero(base)) {
        if (is_negative(exponent))
            return fail(ErrorCode::kInvalidArgument, "0 to a negative power has no value");
        return base;
    }
    if (const auto n = whole(exponent); n && exact(base)) return power_exact(*exact(base), *n);
    if (exact(base) && exact(exponent)) {
        const Rational& fraction = *exact(exponent);
        if (mp::denominator(fraction) <= kMostExactRoot && !is_negative(base)) {
            const auto n = Integer(mp::denominator(fraction)).convert_to<std::int64_t>();
            NOTSO_TRY(const Number part, root(base, n));
            if (exact(part)) return power_exact(*exact(part), mp::numerator(fraction));
        }
    }
    return power_real(base, exponent);
}

Result<Number> Math::power_exact(const Rational& base, const Integer& exponent) const {
    if (base == 1) return base;
    if (base == -1) return exponent % 2 == 0 ? Rational(1) : base;
    // Estimated before it is computed: 9^9^9 would fill the memory.
    const double size = size_of(base);
    constexpr std::int64_t kMost = 1 << 20;  // 2^kMost is far over any limit
    if (mp::abs(exponent) > kMost) return power_real(base, Rational(exponent));
    const auto n = exponent.convert_to<std::int64_t>();
    if (size * static_cast<double>(std::abs(n)) > static_cast<double>(limits_.max_digits) + 1) {
        if (mp::denominator(base) == 1) return std::unexpected(too_large());
        return power_real(base, Rational(exponent));  // 1.0001^10000 has 40,000 decimals
    }
    const auto times = static_cast<unsigned>(std::abs(n));
    const Integer top = mp::pow(Integer(mp::numerator(base)), times);
    const Integer bottom = mp::pow(Integer(mp::denominator(base)), times);
    NOTSO_CHECK(check_time());
    if (n < 0) return checked(Rational(Rational(bottom) / Rational(top)));
    return checked(Rational(Rational(top) / Rational(bottom)));
}

Result<Number> Math::power_real(const Number& base, const Number& exponent) const {
    const auto n = whole(exponent);
    if (is_negative(base) && !n) {
        return fail(ErrorCode::kInvalidArgument,
                    "a negative number to a power that is not whole is no real number");
    }
    const Real log = log_of(base) * real(exponent);
    const Real most = Real(limits_.max_digits) * 3;  // e^3 > 10
    if (mp::abs(log) > most) return std::unexpected(too_large());
    Real value = mp::exp(log);
    if (is_negative(base) && *n % 2 != 0) value = -value;
    return checked(std::move(value));
}

std::optional<Integer> Math::exact_root(const Integer& a, std::int64_t n) const {
    if (a <= 1) return a;
    const auto bits = static_cast<std::int64_t>(mp::msb(a)) + 1;
    if (bits <= n) return std::nullopt;  // between 1 and 2
    // Newton's method from above; each step about doubles the digits that are right.
    Integer guess = Integer(1) << static_cast<unsigned>((bits + n - 1) / n);
    const auto less = static_cast<unsigned>(n - 1);
    for (;;) {
        if (!check_time()) return std::nullopt;
        const Integer next = ((n - 1) * guess + a / mp::pow(guess, less)) / n;
        if (next >= guess) break;
        guess = next;
    }
    if (mp::pow(guess, static_cast<unsigned>(n)) != a) return std::nullopt;
    return guess;
}

Result<Number> Math::root(const Number& a, std::int64_t n) const {
    if (n < 1) return fail(ErrorCode::kInvalidArgument, "a root needs a whole number from 1");
    if (is_negative(a) && n % 2 == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "an even root of a negative number is no real number");
    }
    if (is_zero(a)) return a;
    if (exact(a) && n <= kMostExactRoot) {
        const Integer top = mp::numerator(*exact(a));
        const auto over = exact_root(mp::abs(top), n);
        const auto under = over ? exact_root(mp::denominator(*exact(a)), n) : std::nullopt;
        NOTSO_CHECK(check_time());
        if (over && under) return checked(Rational(top < 0 ? Integer(-*over) : *over, *under));
    }
    const Real size = mp::abs(real(a));
    const Real value = n == 2 ? Real(mp::sqrt(size)) : Real(mp::exp(mp::log(size) / n));
    return checked(is_negative(a) ? Real(-value) : value);
}

Result<Number> Math::falling(const Integer& n, std::int64_t k) const {
    Integer product = 1;
    Integer factor = n;
    for (std::int64_t i = 0; i < k; ++i, --factor) {
        product *= factor;
        if (product >= bound_) return std::unexpected(too_large());
        NOTSO_CHECK(check_time());
    }
    return checked(Rational(product));
}

Result<Number> Math::factorial(const Number& n) const {
    const auto count = small_whole(n);
    if (!whole(n) || is_negative(n)) {
        return fail(ErrorCode::kInvalidArgument,
                    "the factorial (!) needs a whole number that is not negative");
    }
    if (!count) return std::unexpected(too_large());
    return falling(*count, *count);
}

}  // namespace notso::services::calculator

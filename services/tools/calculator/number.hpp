// Numbers of the calculator: exact fractions of any size as long as a result is rational, 60
// decimal digits otherwise. Every operation is bounded: it refuses what would get too large before
// it computes it, and stops when the time is up.
#pragma once

#include <boost/multiprecision/cpp_dec_float.hpp>
#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace notso::services::calculator {

namespace mp = boost::multiprecision;
using Integer = mp::number<mp::cpp_int_backend<>, mp::et_off>;
using Rational = mp::number<mp::rational_adaptor<mp::cpp_int_backend<>>, mp::et_off>;
using Real = mp::number<mp::cpp_dec_float<60>, mp::et_off>;

/// A value: exact, or rounded to about 60 digits.
using Number = std::variant<Rational, Real>;

inline const Rational* exact(const Number& number) { return std::get_if<Rational>(&number); }
/// Null unless it is exact and whole.
std::optional<Integer> whole(const Number& number);
/// The whole number itself where it fits, else nothing.
std::optional<std::int64_t> small_whole(const Number& number);
bool is_zero(const Number& number);
bool is_negative(const Number& number);
/// Rounded, where it isn't yet.
Real real(const Number& number);
/// The largest whole number that is not larger.
Integer floor_of(const Rational& a);
/// Negative, 0, positive. Exact where both are.
int compare(const Number& a, const Number& b);

struct Limits {
    /// Of a result, of any value on the way. A fraction with longer parts is rounded.
    std::int64_t max_digits = 10'000;
    std::chrono::milliseconds time{40};  ///< One step more may follow: 50 in all.
    int max_depth = 64;                  ///< Of parentheses, calls and powers in each other.
    std::size_t max_bytes = 10'000;
};

/// The arithmetic of one calculation. @errors kInvalidArgument: there is no such number (1/0).
/// kTooLarge: more digits than allowed. kTimeout.
class Math {
  public:
    /// The time begins to count.
    explicit Math(const Limits& limits);

    Result<Number> add(const Number& a, const Number& b) const;
    Result<Number> subtract(const Number& a, const Number& b) const;
    Result<Number> multiply(const Number& a, const Number& b) const;
    Result<Number> divide(const Number& a, const Number& b) const;
    /// What is left of a division that rounds down: it has the sign of `b`.
    Result<Number> modulo(const Number& a, const Number& b) const;
    Result<Number> power(const Number& base, const Number& exponent) const;
    Result<Number> factorial(const Number& n) const;
    /// The n-th root, exact where it is; of a negative number only for odd n.
    Result<Number> root(const Number& a, std::int64_t n) const;
    /// n (n-1) … (n-k+1).
    Result<Number> falling(const Integer& n, std::int64_t k) const;

    /// 10^exponent. @errors kTooLarge.
    Result<Rational> power_of_ten(std::int64_t exponent) const;
    /// The value if it is within the limits, rounded where its parts are not.
    Result<Number> checked(Rational value) const;
    Result<Number> checked(Real value) const;
    Result<> check_time() const;
    Error too_large() const;

    const Limits& limits() const { return limits_; }

  private:
    Result<Number> power_exact(const Rational& base, const Integer& exponent) const;
    Result<Number> power_real(const Number& base, const Number& exponent) const;
    /// The exact n-th root, or nothing.
    std::optional<Integer> exact_root(const Integer& a, std::int64_t n) const;

    const Limits limits_;
    const SteadyClock::time_point deadline_;
    const Integer bound_;  // 10^max_digits
};

}  // namespace notso::services::calculator

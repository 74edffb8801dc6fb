// Numbers of the same length are split at the first digit that differs; others by their length.
#include "services/schema/number_grammar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace notso::services {
namespace {

constexpr std::int64_t kFar = 999'999'999'999'999;       // 15 digits: exact in every JSON reader
constexpr std::int64_t kMost = 999'999'999'999'999'999;  // whatever bounds say
constexpr std::size_t kMaxListed = 500;
constexpr std::size_t kMaxFraction = 6;

/// Writes digits with a point before the last `n_fraction` of them.
class DigitRange {
  public:
    explicit DigitRange(std::size_t n_fraction = 0) : n_fraction_(n_fraction) {}

    /// Texts of digits from `low` to `high`, all of one length.
    std::string between(std::string_view low, std::string_view high) const {
        if (low == high) return fixed(low);
        if (low[0] == high[0]) return digit(low, between(low.substr(1), high.substr(1)));
        std::vector<std::string> ways = {digit(low, at_least(low.substr(1)))};
        if (low[0] + 1 < high[0]) ways.push_back(any_of(low[0] + 1, high[0] - 1, low.size()));
        ways.push_back(digit(high, at_most(high.substr(1))));
        return "(" + fmt::format("{}", fmt::join(ways, " | ")) + ")";
    }

  private:
    std::string point(std::size_t n_left) const {
        return n_fraction_ > 0 && n_left == n_fraction_ ? "\".\" " : "";
    }
    std::string digit(std::string_view text, const std::string& rest) const {
        return point(text.size()) + fmt::format("\"{}\" ", text[0]) + rest;
    }
    std::string fixed(std::string_view text) const {
        std::string out;
        for (; !text.empty(); text.remove_prefix(1)) out += digit(text, "");
        return out.empty() ? "\"\"" : out;
    }
    std::string any_of(int first, int last, std::size_t n_left) const {
        return point(n_left) +
               fmt::format("[{}-{}] ", static_cast<char>(first), static_cast<char>(last)) +
               any(n_left - 1);
    }
    std::string any(std::size_t n) const {
        if (n_fraction_ > 0 && n >= n_fraction_) {
            const std::string before =
                n > n_fraction_ ? fmt::format("[0-9]{{{}}} ", n - n_fraction_) : "";
            return before + fmt::format("\".\" [0-9]{{{}}}", n_fraction_);
        }
        return n == 0 ? "\"\"" : fmt::format("[0-9]{{{}}}", n);
    }
    std::string at_least(std::string_view low) const {
        if (low.find_first_not_of('0') == std::string_view::npos) return any(low.size());
        if (low[0] == '9') return digit(low, at_least(low.substr(1)));
        return "(" + digit(low, at_least(low.substr(1))) + " | " +
               any_of(low[0] + 1, '9', low.size()) + ")";
    }
    std::string at_most(std::string_view high) const {
        if (high.find_first_not_of('9') == std::string_view::npos) return any(high.size());
        if (high[0] == '0') return digit(high, at_most(high.substr(1)));
        return "(" + any_of('0', high[0] - 1, high.size()) + " | " +
               digit(high, at_most(high.substr(1))) + ")";
    }

    std::size_t n_fraction_;
};

std::string joined(const std::vector<std::string>& ways) {
    return ways.size() < 2 ? fmt::format("{}", fmt::join(ways, ""))
                           : fmt::format("({})", fmt::join(ways, " | "));
}

/// 0 ≤ low ≤ high, in units of the last digit behind the point.
std::string natural_range(std::int64_t low, std::int64_t high, std::size_t n_fraction = 0) {
    const DigitRange digits(n_fraction);
    std::vector<std::string> ways;
    std::int64_t unit = 1;  // the first number that takes one digit more
    for (std::size_t i = 0; i < n_fraction; ++i) unit *= 10;
    for (std::size_t size = n_fraction + 1; low <= high; ++size) {
        unit *= 10;
        const std::int64_t last = std::min(high, unit - 1);
        if (low <= last) {
            ways.push_back(digits.between(fmt::format("{:0{}}", low, size),
                                          fmt::format("{:0{}}", last, size)));
            low = last + 1;
        }
    }
    return joined(ways);
}

/// In units of the last digit behind the point.
std::string signed_range(std::int64_t low, std::int64_t high, std::size_t n_fraction = 0) {
    std::vector<std::string> ways;
    if (high >= 0 && low <= high)
        ways.push_back(natural_range(std::max<std::int64_t>(low, 0), high, n_fraction));
    if (low < 0 && low <= high)
        ways.push_back("\"-\" " +
                       natural_range(std::max<std::int64_t>(-high, 1), -low, n_fraction));
    return joined(ways);
}

bool is_within(double value, const NumberBounds& bounds) {
    if (bounds.low && (bounds.low_excluded ? value <= *bounds.low : value < *bounds.low))
        return false;
    return !bounds.high || !(bounds.high_excluded ? value >= *bounds.high : value > *bounds.high);
}

/// Between bounds that are near each other: all with the same number of digits behind the point.
std::string narrow_range(const NumberBounds& bounds) {
    double scale = 1;
    std::size_t n = 0;
    while (n < kMaxFraction && (n == 0 || (*bounds.high - *bounds.low) * scale < 100)) {
        scale *= 10;
        ++n;
    }
    auto low = static_cast<std::int64_t>(std::ceil(*bounds.low * scale));
    auto high = static_cast<std::int64_t>(std::floor(*bounds.high * scale));
    const auto value = [&](std::int64_t units) {  // as a reader of the text gets it
        return std::strtod(fmt::format("{}e-{}", units, n).c_str(), nullptr);
    };
    while (low <= high && !is_within(value(low), bounds)) ++low;
    while (low <= high && !is_within(value(high), bounds)) --high;
    return signed_range(low, high, n);
}

}  // namespace

std::optional<std::int64_t> lowest_integer(const NumberBounds& bounds) {
    if (!bounds.low || *bounds.low < -1e18) return std::nullopt;
    const double whole = std::ceil(std::min(*bounds.low, 1e18));
    const bool excluded = bounds.low_excluded && whole == *bounds.low;
    return static_cast<std::int64_t>(whole) + excluded;
}

std::optional<std::int64_t> highest_integer(const NumberBounds& bounds) {
    if (!bounds.high || *bounds.high > 1e18) return std::nullopt;
    const double whole = std::floor(std::max(*bounds.high, -1e18));
    const bool excluded = bounds.high_excluded && whole == *bounds.high;
    return static_cast<std::int64_t>(whole) - excluded;
}

std::string integer_range(std::optional<std::int64_t> low, std::optional<std::int64_t> high) {
    if (!low && !high) return "integer";
    const std::int64_t first = std::clamp(low ? *low : std::min(-kFar, *high), -kMost, kMost);
    const std::int64_t last = std::clamp(high ? *high : std::max(kFar, first), -kMost, kMost);
    return signed_range(first, last);
}

std::string number_range(const NumberBounds& bounds) {
    if (!bounds.low && !bounds.high) return "number";
    if (bounds.low && bounds.high && *bounds.high - *bounds.low < 2) return narrow_range(bounds);
    const auto low = lowest_integer(bounds);
    const auto high = highest_integer(bounds);
    std::vector<std::string> ways;
    if (const std::string whole = integer_range(low, high); !whole.empty()) ways.push_back(whole);
    // i.f lies strictly between i and i + 1, and -i.f between -i - 1 and -i: the last digit is not
    // 0.
    constexpr std::int64_t kLargest = 999'999'999;  // beyond, a fraction may be rounded away
    const auto fraction = [&](std::int64_t first, std::int64_t last, std::string_view sign) {
        if (first <= last)
            ways.push_back(
                fmt::format("{}{} \".\" [0-9]{{0,5}} [1-9]", sign, natural_range(first, last)));
    };
    const auto whole_low = bounds.low ? std::max(std::ceil(*bounds.low), -1e15) : -1e15;
    const auto whole_high = bounds.high ? std::min(std::floor(*bounds.high), 1e15) : 1e15;
    const auto limited = [](double x) {
        return static_cast<std::int64_t>(std::clamp(x, -1.0, static_cast<double>(kLargest)));
    };
    fraction(limited(std::max(whole_low, 0.0)), limited(whole_high - 1), "");
    fraction(limited(std::max(-whole_high, 0.0)), limited(-whole_low - 1), "\"-\" ");
    return joined(ways);
}

std::optional<std::string> multiples(std::int64_t step, const NumberBounds& bounds) {
    const auto low = lowest_integer(bounds);
    const auto high = highest_integer(bounds);
    const auto up = [step](std::int64_t x) {
        return x >= 0 ? (x + step - 1) / step : -(-x / step);
    };
    const auto down = [step](std::int64_t x) {
        return x >= 0 ? x / step : -((-x + step - 1) / step);
    };
    std::optional<std::int64_t> first;
    std::optional<std::int64_t> last;
    if (low) first = up(*low);
    if (high) last = down(*high);
    if (step == 1) return integer_range(first, last);
    if (first && last && *first > *last) return "";
    if (first && last && *last - *first < static_cast<std::int64_t>(kMaxListed)) {
        std::vector<std::string> ways;
        for (std::int64_t i = *first; i <= *last; ++i)
            ways.push_back(fmt::format("\"{}\"", i * step));
        return joined(ways);
    }
    std::int64_t rest = step;
    std::string zeros;
    for (; rest % 10 == 0; rest /= 10) zeros += '0';
    if (rest != 1) return std::nullopt;
    // A power of ten: zeros behind any number but 0.
    std::vector<std::string> ways;
    if (first.value_or(-1) <= 0 && last.value_or(1) >= 0) ways.emplace_back("\"0\"");
    const std::int64_t most = kFar / step;
    const std::int64_t up_to = std::min(last.value_or(most), most);
    const std::int64_t down_to = std::max(first.value_or(-most), -most);
    if (up_to >= 1)
        ways.push_back(natural_range(std::max<std::int64_t>(down_to, 1), up_to) +
                       fmt::format(" \"{}\"", zeros));
    if (down_to <= -1)
        ways.push_back("\"-\" " + natural_range(std::max<std::int64_t>(-up_to, 1), -down_to) +
                       fmt::format(" \"{}\"", zeros));
    return joined(ways);
}

}  // namespace notso::services

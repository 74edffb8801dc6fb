#include "services/tools/calculator/calculate.hpp"

#include <algorithm>
#include <charconv>

#include "base/utf8.hpp"
#include "services/template/unicode/unicode.hpp"
#include "services/tools/calculator/functions.hpp"

namespace notso::services::calculator {
namespace {

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// One spelling for each operator.
char32_t plain(char32_t c) {
    switch (c) {
        case U'×':
        case U'·':
        case U'⋅':
        case U'∙':
            return '*';
        case U'÷':
        case U'∕':
            return '/';
        case U'−':
        case U'–':
            return '-';
        default:
            return unicode::has(c, unicode::kSpace) ? U' ' : c;
    }
}

std::u32string prepared(std::string_view expression) {
    std::u32string text = unicode::decode(expression);
    std::ranges::transform(text, text.begin(), plain);
    const auto blank_end = [&] {
        while (!text.empty() && text.back() == ' ') text.pop_back();
    };
    blank_end();
    if (text.ends_with(U'=')) text.pop_back();  // "2 + 2 ="
    blank_end();
    return text;
}

/// Reads and computes in one pass.
class Reader {
  public:
    Reader(std::string_view expression, const Limits& limits)
        : text_(prepared(expression)), math_(limits) {}

    Result<Number> read() {
        NOTSO_TRY(const Number value, sum());
        if (here() == 0) return value;
        if (here() == ')') return wrong("there is a ) too many");
        if (is_digit(here()) || here() == '.') return wrong("an operator is missing");
        if (here() == '/') return wrong("use floor(a / b) for a division that rounds down");
        if (here() == '=') return wrong("= is not an operator; give one expression");
        return wrong(fmt::format("{} is not expected here", shown()));
    }

  private:
    /// Within parentheses, a call or a power.
    class Depth {
      public:
        explicit Depth(int& depth) : depth_(depth) { ++depth_; }
        Depth(const Depth&) = delete;
        Depth& operator=(const Depth&) = delete;
        ~Depth() { --depth_; }

      private:
        int& depth_;
    };

    char32_t at(std::size_t index) const { return index < text_.size() ? text_[index] : 0; }
    /// The next character that is no space; 0 at the end.
    char32_t here() {
        while (at(position_) == ' ') ++position_;
        return at(position_);
    }
    bool take(char32_t c) {
        if (here() != c) return false;
        ++position_;
        return true;
    }
    /// A word such as "mod", whole.
    bool take_word(std::u32string_view word) {
        std::ignore = here();
        if (text_.compare(position_, word.size(), word) != 0) return false;
        if (is_letter(at(position_ + word.size()))) return false;
        position_ += word.size();
        return true;
    }
    std::string shown() {
        if (here() == 0) return "the end";
        return "\"" + unicode::encode(std::u32string(1, here())) + "\"";
    }
    std::unexpected<Error> wrong(std::string_view what) const {
        return fail(ErrorCode::kInvalidArgument, "at character {}: {}", position_ + 1, what);
    }
    Result<> check_depth() const {
        if (depth_ <= math_.limits().max_depth) return {};
        return fail(ErrorCode::kTooLarge,
                    "at character {}: more than {} levels of parentheses, calls or powers",
                    position_ + 1,
                    math_.limits().max_depth);
    }

    bool begins_operand(char32_t c) const {
        return is_digit(c) || is_letter(c) || c == '.' || c == '(' || c == U'√' || c == U'π';
    }

    Result<Number> sum();
    Result<Number> product();
    Result<Number> with_sign();
    Result<Number> power();
    Result<Number> postfix();
    Result<Number> primary();
    Result<Number> number();
    Result<Number> named();
    Result<Number> call(const Function& function);
    /// "," and three digits, as in 1,234,567: not within a call, where it parts arguments.
    bool is_group(std::size_t index) const;
    std::string digits(bool grouped);

    const std::u32string text_;
    const Math math_;
    std::size_t position_ = 0;
    int depth_ = 0;
    int n_calls_ = 0;
};

Result<Number> Reader::sum() {
    NOTSO_TRY(Number left, product());
    for (;;) {
        const bool plus = here() == '+';
        if (!plus && here() != '-') return left;
        ++position_;
        NOTSO_TRY(const Number right, product());
        NOTSO_TRY(left, plus ? math_.add(left, right) : math_.subtract(left, right));
    }
}

Result<Number> Reader::product() {
    NOTSO_TRY(Number left, with_sign());
    for (;;) {
        const char32_t c = here();
        if (c == '/' && at(position_ + 1) != '/') {
            ++position_;
            NOTSO_TRY(const Number right, with_sign());
            NOTSO_TRY(left, math_.divide(left, right));
        } else if (c == '%' || take_word(U"mod")) {
            if (c == '%') ++position_;
            NOTSO_TRY(const Number right, with_sign());
            NOTSO_TRY(left, math_.modulo(left, right));
        } else {
            const bool times = take('*') || take_word(U"of") || take_word(U"x") || take_word(U"X");
            // "2(3)", "2 pi": but two numbers side by side are a mistake.
            if (!times && (!begins_operand(c) || is_digit(c) || c == '.')) return left;
            NOTSO_TRY(const Number right, with_sign());
            NOTSO_TRY(left, math_.multiply(left, right));
        }
    }
}

Result<Number> Reader::with_sign() {
    bool minus = false;
    while (here() == '-' || here() == '+') minus ^= text_[position_++] == '-';
    NOTSO_TRY(Number value, power());
    if (!minus) return value;
    return math_.subtract(Rational(0), value);
}

Result<Number> Reader::power() {
    NOTSO_TRY(Number base, postfix());
    const bool stars = here() == '*' && at(position_ + 1) == '*';
    if (here() != '^' && !stars) return base;
    position_ += stars ? 2 : 1;
    const Depth deeper(depth_);
    NOTSO_CHECK(check_depth());
    NOTSO_TRY(const Number exponent, with_sign());
    return math_.power(base, exponent);
}

Result<Number> Reader::postfix() {
    NOTSO_TRY(Number value, primary());
    for (;;) {
        const char32_t c = here();
        if (c == '!') {
            if (at(position_ + 1) == '!') return wrong("!! is not clear; write (x!)!");
            ++position_;
            NOTSO_TRY(value, math_.factorial(value));
        } else if (c == '%') {
            std::size_t next = position_ + 1;
            while (at(next) == ' ') ++next;
            const bool is_of = at(next) == 'o' && at(next + 1) == 'f' && !is_letter(at(next + 2));
            if (begins_operand(at(next)) && !is_of) return value;  // "mod"
            ++position_;
            NOTSO_TRY(value, math_.divide(value, Rational(100)));
        } else if (c == U'²' || c == U'³') {
            ++position_;
            NOTSO_TRY(value, math_.power(value, Rational(c == U'²' ? 2 : 3)));
        } else if (take(U'°')) {
            NOTSO_TRY(value, from_degrees(math_, value));
        } else {
            return value;
        }
    }
}

Result<Number> Reader::primary() {
    const char32_t c = here();
    if (is_digit(c) || c == '.') return number();
    if (is_letter(c)) return named();
    const Depth deeper(depth_);
    NOTSO_CHECK(check_depth());
    if (take(U'π')) return *constant("pi");
    if (take(U'√')) {
        NOTSO_TRY(const Number under, primary());
        return math_.root(under, 2);
    }
    if (!take('(')) return wrong(fmt::format("a number is missing before {}", shown()));
    const int calls = std::exchange(n_calls_, 0);
    NOTSO_TRY(Number value, sum());
    n_calls_ = calls;
    if (!take(')')) return wrong(fmt::format("a ) is missing before {}", shown()));
    return value;
}

bool Reader::is_group(std::size_t index) const {
    return n_calls_ == 0 && at(index) == ',' && is_digit(at(index + 1)) &&
           is_digit(at(index + 2)) && is_digit(at(index + 3)) && !is_digit(at(index + 4));
}

std::string Reader::digits(bool grouped) {
    std::string out;
    for (;; ++position_) {
        const char32_t c = at(position_);
        if (is_digit(c))
            out += static_cast<char>(c);
        else if (!(c == '_' && is_digit(at(position_ + 1))) && !(grouped && is_group(position_)))
            return out;
    }
}

Result<Number> Reader::number() {
    const std::size_t begin = position_;
    std::string all = digits(true);
    std::int64_t exponent = 0;
    if (at(position_) == '.') {
        ++position_;
        const std::string decimals = digits(false);
        if (all.empty() && decimals.empty()) return wrong("a number has no digits");
        all += decimals;
        exponent -= static_cast<std::int64_t>(decimals.size());
    }
    if (at(position_) == '.') return wrong("a number has two decimal points");
    std::size_t e = position_ + 1;
    const bool signed_e = at(e) == '-' || at(e) == '+';
    if (signed_e) ++e;
    if ((at(position_) == 'e' || at(position_) == 'E') && is_digit(at(e))) {
        const bool minus = signed_e && at(e - 1) == '-';
        position_ = e;
        std::int64_t written = 0;
        const std::string size = digits(false);
        const auto read = std::from_chars(size.data(), size.data() + size.size(), written);
        if (read.ec != std::errc() || written > 2 * math_.limits().max_digits) {
            position_ = begin;
            return std::unexpected(math_.too_large());
        }
        exponent += minus ? -written : written;
    }
    all.erase(0, std::min(all.find_first_not_of('0'), all.size() - 1));  // or it would be octal
    NOTSO_TRY(const Number mantissa, math_.checked(Rational(Integer(all))));
    if (exponent == 0 || is_zero(mantissa)) return mantissa;
    NOTSO_TRY(const Rational scale, math_.power_of_ten(exponent));
    return math_.multiply(mantissa, scale);
}

Result<Number> Reader::named() {
    const std::size_t begin = position_;
    std::string name;
    while (is_letter(at(position_)) || is_digit(at(position_)) || at(position_) == '.') {
        name += static_cast<char>(at(position_++));
        if (name == "math.") name.clear();  // as Python has it
    }
    name = unicode::lower(name);
    if (const Function* function = find_function(name)) {
        if (take('(')) return call(*function);
        return wrong(fmt::format("write {}(…) with parentheses", name));
    }
    if (auto value = constant(name)) return *std::move(value);
    position_ = begin;
    return wrong(fmt::format("\"{}\" is not known; constants: pi, e, tau, phi; functions: {}",
                             truncate_utf8(name, 32),
                             function_names()));
}

Result<Number> Reader::call(const Function& function) {
    const Depth deeper(depth_);
    NOTSO_CHECK(check_depth());
    std::vector<Number> arguments;
    ++n_calls_;
    do {
        NOTSO_TRY(Number value, sum());
        arguments.push_back(std::move(value));
    } while (take(','));
    --n_calls_;
    if (!take(')')) return wrong(fmt::format("a ) or a comma is missing before {}", shown()));
    if (arguments.size() < function.min_arguments || arguments.size() > function.max_arguments) {
        const bool one = function.min_arguments == function.max_arguments;
        return wrong(fmt::format(
            "{} takes {} argument(s), not {}",
            function.name,
            one ? fmt::format("{}", function.min_arguments)
                : fmt::format("{} to {}", function.min_arguments, function.max_arguments),
            arguments.size()));
    }
    return function.call(math_, arguments);
}

}  // namespace

Result<Number> calculate(std::string_view expression, const Limits& limits) {
    if (expression.size() > limits.max_bytes) {
        return fail(ErrorCode::kTooLarge,
                    "the expression has {} bytes, more than {}",
                    expression.size(),
                    limits.max_bytes);
    }
    if (!is_valid_utf8(expression))
        return fail(ErrorCode::kInvalidArgument, "the expression is not well-formed UTF-8");
    return Reader(expression, limits).read();
}

}  // namespace notso::services::calculator

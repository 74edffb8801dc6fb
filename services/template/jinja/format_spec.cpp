// Python's format specifications ("[[fill]align][sign][#][0][width][,][.precision][type]"); see
// operators.hpp.
#include <cmath>

#include "base/utf8.hpp"
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/text_ops.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

constexpr std::int64_t kMaxPrecision = 1000;

struct Specification {
    std::string fill = " ";
    char align = '\0';
    char sign = '-';
    bool alternate = false;
    bool zero = false;
    std::int64_t width = 0;
    char group = '\0';
    std::int64_t precision = -1;
    char type = '\0';
};

std::unexpected<Error> invalid(std::string_view specification) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is no format for this value",
                specification.substr(0, 64));
}

class SpecificationReader {
  public:
    explicit SpecificationReader(std::string_view text) : text_(text), rest_(text) {}

    Result<Specification> read() {
        read_align();
        if (const char c = take("+- ")) out_.sign = c;
        out_.alternate = take("#") != '\0';
        if (take("0") != '\0') {
            out_.zero = true;
            if (out_.align == '\0') {
                out_.fill = "0";
                out_.align = '=';
            }
        }
        if (!read_number(out_.width)) return invalid(text_);
        out_.group = take(",_");
        if (take(".") != '\0') {
            if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9' || !read_number(out_.precision))
                return invalid(text_);
        }
        out_.type = take("bcdeEfFgGnosxX%");
        if (!rest_.empty() || out_.precision > kMaxPrecision) return invalid(text_);
        return std::move(out_);
    }

  private:
    static bool aligns(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

    char take(std::string_view any_of) {
        if (rest_.empty() || any_of.find(rest_[0]) == std::string_view::npos) return '\0';
        const char c = rest_[0];
        rest_.remove_prefix(1);
        return c;
    }

    void read_align() {
        if (rest_.empty()) return;
        const std::size_t size = decode_utf8(rest_).size;
        if (rest_.size() > size && aligns(rest_[size])) {
            out_.fill = rest_.substr(0, size);
            out_.align = rest_[size];
            rest_.remove_prefix(size + 1);
        } else if (aligns(rest_[0])) {
            out_.align = take("<>^=");
        }
    }

    bool read_number(std::int64_t& out) {
        std::int64_t number = 0;
        bool any = false;
        while (const char c = take("0123456789")) {
            number = number * 10 + (c - '0');
            any = true;
            if (number > INT32_MAX) return false;
        }
        if (any) out = number;
        return true;
    }

    std::string_view text_;
    std::string_view rest_;
    Specification out_;
};

std::string grouped(std::string digits, char separator, std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i != 0 && (digits.size() - i) % size == 0) out += separator;
        out += digits[i];
    }
    return out;
}

// The number without its sign, split where padding with '=' goes.
struct NumberText {
    bool negative = false;
    std::string prefix;  // 0x…
    std::string digits;
};

Result<std::string> finish_number(Interpreter& interpreter,
                                  const Specification& spec,
                                  NumberText number) {
    std::string sign = number.negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
    sign += number.prefix;
    if (spec.group != '\0') {
        const std::size_t whole = std::min(
            number.digits.find_first_not_of("0123456789abcdefABCDEF"), number.digits.size());
        const bool binary =
            spec.type == 'b' || spec.type == 'o' || spec.type == 'x' || spec.type == 'X';
        const std::size_t size = binary ? 4 : 3;
        std::string digits = number.digits.substr(0, whole);
        const std::string rest = number.digits.substr(whole);
        // Zeros that fill up are grouped too, and may make it one longer.
        const bool fills = spec.align == '=' && spec.fill == "0";
        const std::int64_t width =
            fills ? spec.width - static_cast<std::int64_t>(sign.size() + rest.size()) : 0;
        const auto length = [&] {
            return static_cast<std::int64_t>(digits.size() + (digits.size() - 1) / size);
        };
        if (width > static_cast<std::int64_t>(interpreter.limits().max_output_bytes))
            return fail(ErrorCode::kTooLarge, "a format is {} characters wide", spec.width);
        if (!digits.empty() && length() < width) {
            const auto groups = static_cast<std::size_t>(width) / (size + 1);
            const std::size_t zeros = groups * size + static_cast<std::size_t>(width) % (size + 1);
            digits.insert(0, std::max(zeros, digits.size()) - digits.size(), '0');
            while (length() < width) digits.insert(0, 1, '0');
        }
        number.digits = grouped(digits, spec.group, size) + rest;
    }
    if (spec.align == '=') {
        const auto rest = Value::string(std::move(number.digits));
        const std::int64_t width = spec.width - static_cast<std::int64_t>(sign.size());
        NOTSO_TRY(const auto padded,
                  pad_text(interpreter, rest, {width, Align::kRight, spec.fill}));
        return sign + padded;
    }
    const Align align = spec.align == '<'   ? Align::kLeft
                        : spec.align == '^' ? Align::kFormatCenter
                                            : Align::kRight;
    return pad_text(
        interpreter, Value::string(sign + number.digits), {spec.width, align, spec.fill});
}

Result<NumberText> integer_text(std::int64_t number, const Specification& spec) {
    NumberText out;
    out.negative = number < 0;
    const std::uint64_t size = out.negative ? std::uint64_t{0} - static_cast<std::uint64_t>(number)
                                            : static_cast<std::uint64_t>(number);
    switch (spec.type) {
        case 'b':
            out.digits = fmt::format("{:b}", size);
            break;
        case 'o':
            out.digits = fmt::format("{:o}", size);
            break;
        case 'x':
            out.digits = fmt::format("{:x}", size);
            break;
        case 'X':
            out.digits = fmt::format("{:X}", size);
            break;
        case 'c':
            if (number < 0 || number > 0x10FFFF)
                return fail(ErrorCode::kInvalidArgument, "{} is no character", number);
            out.negative = false;
            append_utf8(out.digits, static_cast<char32_t>(number));
            break;
        default:
            out.digits = fmt::format("{}", size);
    }
    if (spec.alternate && std::string_view("boxX").find(spec.type) != std::string_view::npos) {
        out.prefix = std::string("0") + spec.type;
    }
    return out;
}

// Digits by type; `g` without '#' drops trailing zeros, as C does.
std::string float_digits(double size, const Specification& spec) {
    const int precision = static_cast<int>(spec.precision < 0 ? 6 : spec.precision);
    switch (spec.type) {
        case 'f':
            return fmt::format("{:.{}f}", size, precision);
        case 'F':
            return fmt::format("{:.{}F}", size, precision);
        case 'e':
            return fmt::format("{:.{}e}", size, precision);
        case 'E':
            return fmt::format("{:.{}E}", size, precision);
        case '%':
            return fmt::format("{:.{}f}%", size * 100, precision);
        case 'G':
            return fmt::format("{:.{}G}", size, std::max(precision, 1));
        case 'g':
        case 'n':
            return fmt::format("{:.{}g}", size, std::max(precision, 1));
        default:
            break;
    }
    if (spec.precision < 0) return float_repr(size);
    // Like g, but switches to exponents one digit earlier and always shows that it is a float.
    std::string digits = fmt::format("{:.{}g}", size, std::max(precision, 1));
    const bool plain = digits.find_first_not_of("0123456789") == std::string::npos;
    if (plain && static_cast<int>(digits.size()) >= std::max(precision, 1) && size != 0) {
        digits = fmt::format("{:.{}e}", size, std::max(precision - 1, 0));
        const std::size_t exponent = digits.find('e');
        const std::size_t kept = digits.find_last_not_of('0', exponent - 1);
        if (digits.find('.') < exponent) digits.erase(kept + 1, exponent - kept - 1);
        if (const auto point = digits.find(".e"); point != std::string::npos)
            digits.erase(point, 1);
        return digits;
    }
    return plain ? digits + ".0" : digits;
}

Result<std::string> format_text(Interpreter& interpreter,
                                const Value& value,
                                const Specification& spec) {
    std::string_view text = value.text();
    if (spec.precision >= 0)
        text = text.substr(0, unicode::byte_offset(text, static_cast<std::size_t>(spec.precision)));
    const Align align = spec.align == '>'   ? Align::kRight
                        : spec.align == '^' ? Align::kFormatCenter
                                            : Align::kLeft;
    return pad_text(interpreter, Value::string(std::string(text)), {spec.width, align, spec.fill});
}

}  // namespace

Result<std::string> format_value(Interpreter& interpreter,
                                 const Value& value,
                                 std::string_view specification) {
    if (specification.empty()) return interpreter.text_of(value);
    NOTSO_TRY(Specification spec, SpecificationReader(specification).read());
    if (value.is_string()) {
        const bool numeric =
            (spec.type != '\0' && spec.type != 's') || spec.group != '\0' || spec.sign != '-';
        const bool padded_number = spec.align == '=' && !spec.zero;
        if (numeric || padded_number || spec.alternate) return invalid(specification);
        if (spec.align == '=') spec.align = '<';
        return format_text(interpreter, value, spec);
    }
    if (!value.is_number()) return invalid(specification);
    const bool as_integer = value.is_integral() &&
                            (spec.type == '\0' ||
                             std::string_view("bcdnoxX").find(spec.type) != std::string_view::npos);
    if (as_integer) {
        if (spec.precision >= 0) return invalid(specification);
        NOTSO_TRY(auto number, integer_text(value.as_int(), spec));
        return finish_number(interpreter, spec, std::move(number));
    }
    if (std::string_view("bcdosxX").find(spec.type) != std::string_view::npos)
        return invalid(specification);
    const double number = value.as_double();
    NumberText text{
        std::signbit(number) && !std::isnan(number), "", float_digits(std::abs(number), spec)};
    return finish_number(interpreter, spec, std::move(text));
}

}  // namespace notso::services::jinja

// printf-style formatting: "…%s…" % args; see operators.hpp.
#include <cmath>

#include "base/utf8.hpp"
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/text_ops.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

constexpr std::int64_t kMaxPercentPrecision = 1000;

struct Conversion {
    std::string flags;
    std::int64_t width = 0;
    std::int64_t precision = -1;
    char type = '\0';

    bool has(char flag) const { return flags.find(flag) != std::string::npos; }
};

class PercentFormatter {
  public:
    PercentFormatter(Interpreter& interpreter, const Value& format, const Value& args)
        : interpreter_(interpreter),
          format_(format),
          args_(args),
          rest_(format.text()),
          out_(interpreter.builder()) {}

    Result<Value> run() {
        while (!rest_.empty() && !out_.full()) {
            const std::size_t percent = std::min(rest_.find('%'), rest_.size());
            out_.add(rest_.substr(0, percent));
            rest_.remove_prefix(percent);
            if (rest_.empty()) break;
            rest_.remove_prefix(1);
            NOTSO_CHECK(convert());
        }
        const bool all_used = args_.is_tuple() ? next_ >= args_.items().size() : next_ > 0;
        // Python takes whatever has [] for names.
        const bool has_names = args_.is_dict() || args_.is_list() || args_.type_name() == "range";
        if (!all_used && !has_names) {
            return fail(ErrorCode::kInvalidArgument, "not all arguments fit in the format string");
        }
        NOTSO_TRY(auto text, std::move(out_).finish());
        return like(format_, std::move(text));
    }

  private:
    char take() {
        if (rest_.empty()) return '\0';
        const char c = rest_[0];
        rest_.remove_prefix(1);
        return c;
    }

    Result<Value> next_argument() {
        if (args_.is_tuple()) {
            if (next_ < args_.items().size()) return args_.items()[next_++];
        } else if (next_ == 0) {
            ++next_;
            return args_;
        }
        return fail(ErrorCode::kInvalidArgument, "not enough arguments for the format string");
    }

    // %(name)s
    Result<std::optional<Value>> named_argument() {
        if (rest_.empty() || rest_[0] != '(') return std::nullopt;
        const std::size_t close = rest_.find(')');
        if (close == std::string_view::npos)
            return fail(ErrorCode::kInvalidArgument, "the format has an open '%('");
        const std::string_view name = rest_.substr(1, close - 1);
        rest_.remove_prefix(close + 1);
        if (!args_.is_dict())
            return fail(ErrorCode::kInvalidArgument, "'%({})' needs a dict", name);
        const Value* found = args_.as_dict().find(name);
        if (found == nullptr)
            return fail(ErrorCode::kInvalidArgument, "'%({})' is not in the dict", name);
        return *found;
    }

    // Digits or '*'.
    Result<void> read_count(std::int64_t& count) {
        if (!rest_.empty() && rest_[0] == '*') {
            take();
            NOTSO_TRY(const auto value, next_argument());
            if (!value.is_integral())
                return fail(ErrorCode::kInvalidArgument, "'*' in a format needs an integer");
            count = value.as_int();
            return {};
        }
        while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9' && count < INT32_MAX) {
            count = std::max<std::int64_t>(count, 0) * 10 + (take() - '0');
        }
        return {};
    }

    Result<void> convert() {
        Conversion conversion;
        NOTSO_TRY(auto named, named_argument());
        while (!rest_.empty() &&
               std::string_view("#0- +").find(rest_[0]) != std::string_view::npos) {
            conversion.flags += take();
        }
        NOTSO_CHECK(read_count(conversion.width));
        if (!rest_.empty() && rest_[0] == '.') {
            take();
            conversion.precision = 0;
            NOTSO_CHECK(read_count(conversion.precision));
            if (conversion.precision > kMaxPercentPrecision)
                return fail(
                    ErrorCode::kTooLarge, "a format has a precision over {}", kMaxPercentPrecision);
        }
        if (!rest_.empty() && std::string_view("hlL").find(rest_[0]) != std::string_view::npos)
            take();
        conversion.type = take();
        if (conversion.type == '%') {
            out_.add('%');
            return {};
        }
        if (conversion.width < 0) {
            conversion.flags += '-';
            conversion.width = -conversion.width;
        }
        if (!named) {
            NOTSO_TRY(named, next_argument());
        }
        NOTSO_TRY(const auto text, convert_value(conversion, *named));
        out_.add(text);
        return {};
    }

    Result<std::string> convert_value(const Conversion& conversion, const Value& value) {
        switch (conversion.type) {
            case 's':
            case 'r':
            case 'a':
                return convert_text(conversion, value);
            case 'c':
                return convert_character(conversion, value);
            case 'd':
            case 'i':
            case 'u':
            case 'o':
            case 'x':
            case 'X':
                return convert_integer(conversion, value);
            case 'e':
            case 'E':
            case 'f':
            case 'F':
            case 'g':
            case 'G':
                return convert_float(conversion, value);
            default:
                break;
        }
        return fail(ErrorCode::kInvalidArgument,
                    "the format has an unknown conversion '%{}'",
                    conversion.type);
    }

    Result<std::string> pad(const Conversion& conversion, std::string text) {
        const Align align = conversion.has('-') ? Align::kLeft : Align::kRight;
        return pad_text(interpreter_, Value::string(std::move(text)), {conversion.width, align});
    }

    Result<std::string> convert_text(const Conversion& conversion, const Value& value) {
        NOTSO_CHECK(interpreter_.spend_on(value, conversion.type == 'a' ? 3 : 1));
        TextBuilder builder = interpreter_.builder();
        if (conversion.type == 's' && format_.is_markup()) {
            NOTSO_TRY(const auto escaped, interpreter_.escaped(value));
            builder.add(escaped);
        } else {
            conversion.type == 's' ? write_str(builder, value) : write_repr(builder, value);
        }
        NOTSO_TRY(auto text, std::move(builder).finish());
        if (conversion.type == 'a') text = ascii_of(text);
        if (conversion.precision >= 0) {
            text.resize(unicode::byte_offset(text, static_cast<std::size_t>(conversion.precision)));
        }
        return pad(conversion, std::move(text));
    }

    Result<std::string> convert_character(const Conversion& conversion, const Value& value) {
        if (value.is_string() && value.as_string().length == 1)
            return pad(conversion, std::string(value.text()));
        if (!value.is_integral() || value.as_int() < 0 || value.as_int() > 0x10FFFF) {
            return fail(ErrorCode::kInvalidArgument, "'%c' needs a character or its number");
        }
        std::string text;
        append_utf8(text, static_cast<char32_t>(value.as_int()));
        return pad(conversion, std::move(text));
    }

    Result<std::string> finish_number(const Conversion& conversion,
                                      bool negative,
                                      std::string digits) {
        std::string sign = negative              ? "-"
                           : conversion.has('+') ? "+"
                           : conversion.has(' ') ? " "
                                                 : "";
        const auto size = static_cast<std::int64_t>(sign.size() + digits.size());
        if (conversion.has('0') && !conversion.has('-') && conversion.width > size) {
            NOTSO_TRY(digits,
                      pad_text(interpreter_,
                               Value::string(std::move(digits)),
                               {conversion.width - static_cast<std::int64_t>(sign.size()),
                                Align::kRight,
                                "0"}));
        }
        return pad(conversion, sign + digits);
    }

    static std::unexpected<Error> needs_number(const Conversion& conversion, const Value& value) {
        if (value.is_undefined())
            return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
        return fail(ErrorCode::kInvalidArgument,
                    "'%{}' needs a number, not '{}'",
                    conversion.type,
                    value.type_name());
    }

    Result<std::string> convert_integer(const Conversion& conversion, const Value& value) {
        const bool decimal =
            conversion.type == 'd' || conversion.type == 'i' || conversion.type == 'u';
        if (decimal && value.is_float() && std::isfinite(value.as_double()) &&
            std::abs(value.as_double()) >= 0x1p63) {
            return fail(ErrorCode::kInvalidArgument, "the number doesn't fit in 64 bits");
        }
        if (!value.is_integral() &&
            !(decimal && value.is_float() && std::isfinite(value.as_double()))) {
            return needs_number(conversion, value);
        }
        const std::int64_t number =
            value.is_float() ? static_cast<std::int64_t>(value.as_double()) : value.as_int();
        const std::uint64_t size = number < 0
                                       ? std::uint64_t{0} - static_cast<std::uint64_t>(number)
                                       : static_cast<std::uint64_t>(number);
        std::string digits = conversion.type == 'o'   ? fmt::format("{:o}", size)
                             : conversion.type == 'x' ? fmt::format("{:x}", size)
                             : conversion.type == 'X' ? fmt::format("{:X}", size)
                                                      : fmt::format("{}", size);
        const std::int64_t zeros = conversion.precision - static_cast<std::int64_t>(digits.size());
        if (zeros > 0) digits.insert(0, static_cast<std::size_t>(zeros), '0');
        if (conversion.has('#') && !decimal) digits.insert(0, std::string("0") + conversion.type);
        return finish_number(conversion, number < 0, std::move(digits));
    }

    Result<std::string> convert_float(const Conversion& conversion, const Value& value) {
        if (!value.is_number()) return needs_number(conversion, value);
        const std::int64_t precision = conversion.precision < 0 ? 6 : conversion.precision;
        const std::string specification = fmt::format(".{}{}", precision, conversion.type);
        NOTSO_TRY(
            auto digits,
            format_value(interpreter_, Value::real(std::abs(value.as_double())), specification));
        return finish_number(conversion, std::signbit(value.as_double()), std::move(digits));
    }

    Interpreter& interpreter_;
    const Value& format_;
    const Value& args_;
    std::string_view rest_;
    TextBuilder out_;
    std::size_t next_ = 0;
};

}  // namespace

Result<Value> percent_format(Interpreter& interpreter, const Value& format, const Value& args) {
    return PercentFormatter(interpreter, format, args).run();
}

}  // namespace notso::services::jinja

// str.format(): replacement fields with names, attributes, items, conversions and specifications;
// see operators.hpp.
#include "services/template/jinja/number_text.hpp"
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/text_ops.hpp"

namespace notso::services::jinja {
namespace {

class BraceFormatter {
  public:
    BraceFormatter(Interpreter& interpreter, const Value& format, const CallArgs& args)
        : interpreter_(interpreter), format_(format), args_(args) {}

    Result<std::string> run(std::string_view text, int depth) {
        if (depth > 2) return fail(ErrorCode::kInvalidArgument, "replacement fields nest too deep");
        TextBuilder out = interpreter_.builder();
        while (!text.empty() && !out.full()) {
            const std::size_t brace = std::min(text.find_first_of("{}"), text.size());
            out.add(text.substr(0, brace));
            text.remove_prefix(brace);
            if (text.empty()) break;
            if (text.size() > 1 && text[1] == text[0]) {
                out.add(text[0]);
                text.remove_prefix(2);
                continue;
            }
            if (text[0] == '}')
                return fail(ErrorCode::kInvalidArgument, "the format has a single '}}'");
            NOTSO_TRY(const std::size_t close, closing_brace(text));
            NOTSO_TRY(const auto field, format_field(text.substr(1, close - 1), depth));
            out.add(field);
            text.remove_prefix(close + 1);
        }
        return std::move(out).finish();
    }

  private:
    static Result<std::size_t> closing_brace(std::string_view text) {
        int open = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '{') ++open;
            if (text[i] == '}' && --open == 0) return i;
        }
        return fail(ErrorCode::kInvalidArgument, "the format has a '{{' that is not closed");
    }

    Result<std::string> format_field(std::string_view field, int depth) {
        const std::size_t name_end = std::min(field.find_first_of("!:"), field.size());
        NOTSO_TRY(Value value, look_up(field.substr(0, name_end)));
        field.remove_prefix(name_end);
        if (field.starts_with('!')) {
            if (field.size() < 2 || (field.size() > 2 && field[2] != ':')) {
                return fail(ErrorCode::kInvalidArgument, "'!' in a format takes s, r or a");
            }
            NOTSO_TRY(value, converted(value, field[1]));
            field.remove_prefix(2);
        }
        if (!field.empty()) field.remove_prefix(1);
        NOTSO_TRY(const auto specification, run(field, depth + 1));
        NOTSO_TRY(auto text, format_value(interpreter_, value, specification));
        if (!format_.is_markup() || value.is_markup()) return text;
        return interpreter_.escaped(Value::string(std::move(text)));
    }

    Result<Value> converted(const Value& value, char conversion) {
        if (conversion == 's') return interpreter_.string_of(value);
        if (conversion != 'r' && conversion != 'a') {
            return fail(ErrorCode::kInvalidArgument, "'!' in a format takes s, r or a");
        }
        NOTSO_CHECK(interpreter_.spend_on(value, conversion == 'a' ? 3 : 1));
        TextBuilder out = interpreter_.builder();
        write_repr(out, value);
        NOTSO_TRY(auto text, std::move(out).finish());
        return Value::string(conversion == 'a' ? ascii_of(text) : std::move(text));
    }

    Result<Value> look_up(std::string_view path) {
        const std::size_t first_end = std::min(path.find_first_of(".["), path.size());
        NOTSO_TRY(Value value, argument(path.substr(0, first_end)));
        path.remove_prefix(first_end);
        while (!path.empty()) {
            NOTSO_TRY(value, step(value, path));
        }
        return value;
    }

    // One .name or [key] of a path.
    Result<Value> step(const Value& value, std::string_view& path) {
        const bool attribute = path[0] == '.';
        const std::size_t end =
            attribute ? std::min(path.find_first_of(".[", 1), path.size()) : path.find(']');
        if (end == std::string_view::npos || end == 1)
            return fail(ErrorCode::kInvalidArgument, "a broken field '{}'", path);
        const std::string_view name = path.substr(1, end - 1);
        path.remove_prefix(attribute ? end : end + 1);
        if (attribute) return interpreter_.attribute(value, name);
        const bool digits = name.find_first_not_of("0123456789") == std::string_view::npos;
        const auto index = digits ? parse_python_int(name, 10) : std::nullopt;
        return interpreter_.item(value,
                                 index ? Value::integer(*index) : Value::string(std::string(name)));
    }

    Result<Value> argument(std::string_view name) {
        const bool digits = name.find_first_not_of("0123456789") == std::string_view::npos;
        std::optional<std::int64_t> index = digits ? parse_python_int(name, 10) : std::nullopt;
        if (digits) {
            const bool counts = name.empty();
            if (counts ? numbered_ : next_ != 0)
                return fail(ErrorCode::kInvalidArgument,
                            "a format counts its fields or names them");
            numbered_ = !counts;
        }
        if (name.empty()) index = static_cast<std::int64_t>(next_++);
        if (index) {
            if (*index >= 0 && static_cast<std::size_t>(*index) < args_.positional.size()) {
                return args_.positional[static_cast<std::size_t>(*index)];
            }
            return fail(ErrorCode::kInvalidArgument, "format() has no argument {}", *index);
        }
        for (const auto& [known, value] : args_.named) {
            if (known == name) return value;
        }
        return fail(ErrorCode::kInvalidArgument, "format() has no argument '{}'", name);
    }

    Interpreter& interpreter_;
    const Value& format_;
    const CallArgs& args_;
    std::size_t next_ = 0;
    bool numbered_ = false;
};

}  // namespace

Result<Value> brace_format(Interpreter& interpreter, const Value& format, const CallArgs& args) {
    NOTSO_TRY(auto text, BraceFormatter(interpreter, format, args).run(format.text(), 0));
    return like(format, std::move(text));
}

}  // namespace notso::services::jinja

// The pprint filter: Python's pprint.pformat with its defaults (80 columns, dicts sorted by key).
// Long strings are broken into pieces behind white space.
#include <algorithm>
#include <map>

#include "base/utf8.hpp"
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/sequence_ops.hpp"
#include "services/template/jinja/text_ops.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

constexpr std::int64_t kWidth = 80;

class PrettyPrinter {
  public:
    explicit PrettyPrinter(Interpreter& interpreter)
        : interpreter_(interpreter), out_(interpreter.builder()) {}

    Result<std::string> run(const Value& value) {
        NOTSO_TRY(const Value sorted, with_sorted_dicts(value));
        const bool is_text = sorted.is_string() && !sorted.is_markup();
        if (is_text && width(sorted.text()) > kWidth) {
            NOTSO_CHECK(write_pieces(sorted.text(), {1, 1, true}));
        } else {
            NOTSO_CHECK(write(sorted, 0, 0));
        }
        return std::move(out_).finish();
    }

  private:
    Result<Value> with_sorted_dicts(const Value& value) {
        NOTSO_CHECK(interpreter_.spend());
        if (value.is_group()) return value;  // pprint knows nothing of it
        if (value.is_sequence()) {
            std::vector<Value> items;
            for (const Value& item : value.items()) {
                NOTSO_TRY(auto sorted, with_sorted_dicts(item));
                items.push_back(std::move(sorted));
            }
            return value.is_list() ? Value::list(std::move(items)) : Value::tuple(std::move(items));
        }
        if (!value.is_dict()) return value;
        std::vector<Value> keys;
        for (const auto& entry : value.as_dict().entries()) keys.push_back(entry.first);
        const auto order = key_order(keys);
        auto dict = std::make_shared<Dict>();
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto& [key, item] = value.as_dict().entries()[order[i]];
            NOTSO_TRY(auto sorted, with_sorted_dicts(item));
            dict->set(key, std::move(sorted));
        }
        return Value::dict(std::move(dict));
    }

    /// Keys that can't be compared go by the names of their types.
    std::vector<std::size_t> key_order(const std::vector<Value>& keys) const {
        if (auto order = sorted_order(interpreter_, keys)) return *std::move(order);
        std::map<std::string, std::vector<std::size_t>, std::less<>> kinds;
        for (std::size_t i = 0; i < keys.size(); ++i)
            kinds[std::string(keys[i].is_number() || keys[i].is_bool() ? "int"
                                                                       : keys[i].type_name())]
                .push_back(i);
        std::vector<std::size_t> all;
        for (const auto& [kind, places] : kinds) {
            std::vector<Value> same;
            for (const std::size_t i : places) same.push_back(keys[i]);
            const auto order = sorted_order(interpreter_, same);
            for (std::size_t i = 0; i < places.size(); ++i)
                all.push_back(places[order ? (*order)[i] : i]);
        }
        return all;
    }

    Result<std::string> repr(const Value& value) const {
        TextBuilder out = interpreter_.builder();
        write_repr(out, value);
        return std::move(out).finish();
    }

    // `indent`: the column where the value begins; `behind`: how many characters follow it on its
    // last line.
    Result<void> write(const Value& value, std::int64_t indent, std::int64_t behind) {
        NOTSO_CHECK(interpreter_.spend());
        NOTSO_TRY(const auto line, repr(value));
        const auto length = static_cast<std::int64_t>(unicode::count_code_points(line));
        const bool fits = length <= kWidth - indent - behind;
        if (!fits && value.is_dict() && value.as_dict().size() != 0)
            return write_dict(value.as_dict(), indent, behind);
        if (!fits && value.is_sequence() && !value.is_group() && !value.items().empty())
            return write_items(value, indent, behind);
        if (!fits && value.is_string() && !value.is_markup())
            return write_pieces(value.text(), {indent, behind, false});
        out_.add(line);
        return {};
    }

    struct Place {
        std::int64_t indent;
        std::int64_t behind;
        bool in_brackets;
    };

    static std::string quoted(std::string_view text) {
        TextBuilder out(text.size() * 10 + 16);
        write_string_repr(out, text);
        auto made = std::move(out).finish();
        return made ? *std::move(made) : std::string();
    }
    static std::int64_t width(std::string_view text) {
        return static_cast<std::int64_t>(unicode::count_code_points(quoted(text)));
    }

    // Words with the white space behind them.
    static std::vector<std::string_view> words(std::string_view line) {
        std::vector<std::string_view> out;
        while (!line.empty()) {
            const std::string_view behind_word = line.substr(word_end(line));
            const auto rest = unicode::strip(behind_word, unicode::Side::kLeft);
            out.push_back(line.substr(0, line.size() - rest.size()));
            line = rest;
        }
        return out;
    }
    static std::size_t word_end(std::string_view line) {
        std::size_t at = 0;
        while (at < line.size()) {
            const DecodedCodePoint next = decode_utf8(line.substr(at));
            if (unicode::has(next.value, unicode::kSpace)) break;
            at += next.size;
        }
        return at;
    }

    Result<void> add_words(std::string_view line,
                           std::int64_t most,
                           std::int64_t most_at_end,
                           std::vector<std::string>& pieces) {
        std::string piece;
        const auto parts = words(line);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            NOTSO_CHECK(interpreter_.spend());
            const std::string longer = piece + std::string(parts[i]);
            if (width(longer) > (i + 1 == parts.size() ? most_at_end : most)) {
                if (!piece.empty()) pieces.push_back(quoted(piece));
                piece = parts[i];
            } else {
                piece = longer;
            }
        }
        if (!piece.empty()) pieces.push_back(quoted(piece));
        return {};
    }

    // A string by its lines, and long lines by their words.
    Result<void> write_pieces(std::string_view text, const Place& place) {
        const auto lines = split_lines(text, true);
        const std::int64_t most = kWidth - place.indent;
        std::vector<std::string> pieces;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            NOTSO_CHECK(interpreter_.spend(static_cast<std::int64_t>(lines[i].size() / 8)));
            const std::int64_t at_end = i + 1 == lines.size() ? most - place.behind : most;
            if (width(lines[i]) <= at_end) {
                pieces.push_back(quoted(lines[i]));
            } else {
                NOTSO_CHECK(add_words(lines[i], most, at_end, pieces));
            }
        }
        const bool brackets = place.in_brackets && pieces.size() > 1;
        if (pieces.size() <= 1) {
            out_.add(quoted(text));
            return {};
        }
        if (brackets) out_.add("(");
        for (std::size_t i = 0; i < pieces.size() && !out_.full(); ++i) {
            if (i != 0) {
                out_.add("\n");
                out_.add_repeated(" ", place.indent);
            }
            out_.add(pieces[i]);
        }
        if (brackets) out_.add(")");
        return {};
    }

    void break_line(std::int64_t indent) {
        out_.add(",\n");
        out_.add_repeated(" ", indent);
    }

    Result<void> write_items(const Value& value, std::int64_t indent, std::int64_t behind) {
        const auto& items = value.items();
        const bool lone_tuple = value.is_tuple() && items.size() == 1;
        out_.add(value.is_list() ? "[" : "(");
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (i != 0) break_line(indent + 1);
            const bool last = i + 1 == items.size();
            NOTSO_CHECK(write(items[i], indent + 1, last ? behind + (lone_tuple ? 2 : 1) : 1));
        }
        out_.add(value.is_list() ? "]" : lone_tuple ? ",)" : ")");
        return {};
    }

    Result<void> write_dict(const Dict& dict, std::int64_t indent, std::int64_t behind) {
        out_.add("{");
        for (std::size_t i = 0; i < dict.size(); ++i) {
            const auto& [key, item] = dict.entries()[i];
            if (i != 0) break_line(indent + 1);
            NOTSO_TRY(const auto name, repr(key));
            out_.add(name);
            out_.add(": ");
            const auto width = static_cast<std::int64_t>(unicode::count_code_points(name));
            NOTSO_CHECK(write(item, indent + 1 + width + 2, i + 1 == dict.size() ? behind + 1 : 1));
        }
        out_.add("}");
        return {};
    }

    Interpreter& interpreter_;
    TextBuilder out_;
};

Result<Value> filter_pprint(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"pprint", {}}));
    NOTSO_TRY(auto text, PrettyPrinter(interpreter).run(value));
    return Value::string(std::move(text));
}

constexpr NamedFilter kPprintFilters[] = {{"pprint", filter_pprint}};

}  // namespace

std::span<const NamedFilter> pprint_filters() { return kPprintFilters; }

}  // namespace notso::services::jinja

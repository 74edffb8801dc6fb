#include "services/tools/convert_units.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "services/template/unicode/unicode.hpp"
#include "services/tools/built_in.hpp"
#include "services/tools/calculator/calculate.hpp"
#include "services/tools/calculator/format.hpp"
#include "services/tools/unit_table.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;
using calculator::Math;
using calculator::Number;

constexpr std::string_view kUnitSchema = R"({
  "properties": {
    "value": {
      "type": ["number", "string"],
      "description": "How much: a number, or an expression such as \"5 + 7/12\""
    },
    "from": {"type": "string", "description": "Unit, e.g. km, mile, °F, cup, kWh, MiB"},
    "to": {"type": "string", "description": "Unit of the same kind"}
  },
  "required": ["value", "from", "to"]
})";

/// One of the names, or its plural.
bool is_named(std::string_view names, std::string_view name) {
    while (!names.empty()) {
        const std::string_view each = names.substr(0, names.find('|'));
        if (each == name || (name.ends_with('s') && each == name.substr(0, name.size() - 1)))
            return true;
        names.remove_prefix(std::min(names.size(), each.size() + 1));
    }
    return false;
}

/// "kilometers per hour" → "kilometer per hour"; the usual other signs of micro and degree.
std::string tidy(std::string_view name) {
    std::string text(unicode::strip(name, unicode::Side::kBoth));
    const auto replace = [&](std::string_view from, std::string_view to) {
        for (auto at = text.find(from); at != std::string::npos;
             at = text.find(from, at + to.size()))
            text.replace(at, from.size(), to);
    };
    replace("s per ", " per ");
    replace("μ", "µ");
    replace("º", "°");
    replace("_", " ");
    replace("degrees ", "degree ");
    return text;
}

/// Symbols as they are written go first (Mb is no MB), then names in any case.
const Unit* find_unit(std::string_view name) {
    const std::string exact = tidy(name);
    const auto units = unit_table();
    auto found = std::ranges::find(units, exact, &Unit::symbol);
    if (found != units.end()) return &*found;
    found = std::ranges::find_if(units, [&](const Unit& u) { return is_named(u.names, exact); });
    if (found != units.end()) return &*found;
    const std::string lower = unicode::lower(exact);
    found = std::ranges::find_if(units, [&](const Unit& unit) {
        return is_named(unit.names, lower) || is_named(unicode::lower(unit.symbol), lower);
    });
    return found == units.end() ? nullptr : &*found;
}

std::string symbols_of(std::string_view quantity) {
    std::string out;
    for (const Unit& unit : unit_table()) {
        if (unit.quantity == quantity)
            out += fmt::format("{}{}", out.empty() ? "" : ", ", unit.symbol);
    }
    return out;
}

std::string quantities() {
    std::string out;
    std::string_view last;
    for (const Unit& unit : unit_table()) {
        if (unit.quantity == last) continue;
        last = unit.quantity;
        out += fmt::format("{}{}", out.empty() ? "" : ", ", last);
    }
    return out;
}

Result<const Unit*> unit_argument(const json::object& arguments, std::string_view which) {
    const std::string name = text_argument(arguments, which);
    if (const Unit* unit = find_unit(name)) return unit;
    return fail(ErrorCode::kInvalidArgument,
                "no unit is named \"{}\"; units of {} are known, such as km, lb, °F, m², kWh",
                truncate_utf8(name, 64),
                quantities());
}

/// A number as it was written: 0.1 is a tenth, not its nearest binary fraction.
std::string value_text(const json::object& arguments) {
    const json::value& value = arguments.at("value");
    return value.is_double()   ? fmt::format("{}", value.get_double())
           : value.is_string() ? std::string(value.get_string())
                               : json::serialize(value);
}

Result<Number> zero_of(const Unit& unit) {
    return calculator::calculate(unit.zero.empty() ? "0" : unit.zero);
}

/// value × size + zero, and back: temperatures have a zero of their own.
Result<Number> convert(const Number& value, const Unit& from, const Unit& to) {
    const Math math{{}};
    NOTSO_TRY(const Number from_size, calculator::calculate(from.size));
    NOTSO_TRY(const Number to_size, calculator::calculate(to.size));
    NOTSO_TRY(const Number from_zero, zero_of(from));
    NOTSO_TRY(const Number to_zero, zero_of(to));
    NOTSO_TRY(const Number scaled, math.multiply(value, from_size));
    NOTSO_TRY(const Number base, math.add(scaled, from_zero));
    NOTSO_TRY(const Number above, math.subtract(base, to_zero));
    return math.divide(above, to_size);
}

Result<std::string> convert_units(const json::object& arguments, const ToolContext& /*context*/) {
    NOTSO_TRY(const Unit* from, unit_argument(arguments, "from"));
    NOTSO_TRY(const Unit* to, unit_argument(arguments, "to"));
    if (from->quantity != to->quantity) {
        return fail(ErrorCode::kInvalidArgument,
                    "{} is a unit of {}, {} one of {}; convert to one of: {}",
                    from->symbol,
                    from->quantity,
                    to->symbol,
                    to->quantity,
                    symbols_of(from->quantity));
    }
    NOTSO_TRY(const Number value, calculator::calculate(value_text(arguments)));
    NOTSO_TRY(const Number result, convert(value, *from, *to));
    // A fraction of a unit says nothing to people: decimals only.
    std::string text = calculator::format(result);
    if (const auto about = text.find("≈"); about != std::string::npos) text.erase(0, about);
    const bool rounded = text.starts_with("≈");
    return fmt::format("{} {} {}{} {}",
                       calculator::format(value),
                       from->symbol,
                       rounded ? "" : "= ",
                       text,
                       to->symbol);
}

}  // namespace

ToolPtr make_convert_units() {
    ToolInfo info;
    info.name = "convert_units";
    info.title = "Unit conversion";
    info.description =
        "Converts between units of length, mass, temperature, area, volume, speed, time, data, "
        "energy, power, pressure and angle.";
    return make_built_in(std::move(info), kUnitSchema, convert_units);
}

}  // namespace notso::services

// See schema_parts.hpp.
#include "services/schema/schema_parts.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/utf8.hpp"
#include "services/schema/schema_keywords.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxParts = 256;
constexpr int kDisjointDepth = 4;

constexpr std::pair<std::string_view, std::uint8_t> kTypeNames[] = {
    {"null", kNullType},
    {"boolean", kBooleanType},
    {"integer", kIntegerType},
    {"number", kIntegerType | kFractionType},
    {"string", kStringType},
    {"array", kArrayType},
    {"object", kObjectType}};

std::uint8_t type_named(std::string_view name) {
    for (const auto& [known, bits] : kTypeNames)
        if (known == name) return bits;
    return 0;
}

std::uint8_t type_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return kNullType;
        case json::kind::bool_:
            return kBooleanType;
        case json::kind::int64:
        case json::kind::uint64:
            return kIntegerType;
        case json::kind::double_:
            return value.get_double() == std::floor(value.get_double()) ? kIntegerType
                                                                        : kFractionType;
        case json::kind::string:
            return kStringType;
        case json::kind::array:
            return kArrayType;
        case json::kind::object:
            return kObjectType;
    }
    return 0;
}

bool equal(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
    return a == b;
}

std::int64_t count_characters(std::string_view text) {
    return std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

Result<const json::value*> resolve(const SchemaPart& part, const json::value& root) {
    const json::value* ref = part.find("$ref");
    if (!ref->is_string()) return refuse_schema(part, "$ref", "must be a string");
    const std::string_view pointer = ref->get_string();
    if (!pointer.starts_with('#') || (pointer.size() > 1 && pointer[1] != '/')) {
        return refuse_schema(
            part, "$ref", "must begin with #/: other documents and anchors are not read");
    }
    boost::system::error_code failure;
    const json::value* target = root.find_pointer(std::string_view(pointer).substr(1), failure);
    if (failure || target == nullptr)
        return refuse_schema(part, "$ref", fmt::format("leads nowhere: {}", pointer));
    return target;
}

Result<std::uint8_t> types_of_part(const SchemaPart& part) {
    const json::value* type = part.find("type");
    if (type == nullptr) return std::uint8_t{kAnyType};
    std::uint8_t bits = 0;
    const auto add = [&](const json::value& name) {
        const std::uint8_t one = name.is_string() ? type_named(name.get_string()) : 0;
        bits |= one;
        return one != 0;
    };
    bool known = true;
    if (type->is_array()) {
        for (const json::value& name : type->get_array()) known = add(name) && known;
    } else {
        known = add(*type);
    }
    if (!known || bits == 0)
        return refuse_schema(
            part, "type", "must name null, boolean, integer, number, string, array or object");
    const json::value* nullable = part.find("nullable");
    if (nullable != nullptr && nullable->is_bool() && nullable->get_bool()) bits |= kNullType;
    return bits;
}

/// Whether one part lets a listed value through, by the keywords that can be looked at here.
Result<bool> lets_through(const SchemaPart& part, const json::value& value) {
    NOTSO_TRY(const std::uint8_t types, types_of_part(part));
    if ((types & type_of(value)) == 0) return false;
    if (const json::value* list = part.find("enum"); list != nullptr) {
        const auto is_same = [&](const json::value& one) { return equal(one, value); };
        if (!list->is_array() || std::ranges::none_of(list->get_array(), is_same)) return false;
    }
    if (const json::value* one = part.find("const"); one != nullptr && !equal(*one, value))
        return false;
    const std::string_view beside = keyword_beside_enum(*part.object(), value.kind());
    if (!beside.empty())
        return refuse_schema(part, beside, "is not supported beside enum or const");
    if (value.is_number()) {
        NOTSO_TRY(const NumberBounds bounds, number_bounds({part}));
        const double number = value.to_number<double>();
        if (bounds.low && (bounds.low_excluded ? number <= *bounds.low : number < *bounds.low))
            return false;
        if (bounds.high && (bounds.high_excluded ? number >= *bounds.high : number > *bounds.high))
            return false;
    }
    if (value.is_string()) {
        NOTSO_TRY(const CountBounds bounds, count_bounds({part}, "minLength", "maxLength"));
        if (!bounds.allows(count_characters(value.get_string()))) return false;
    }
    return true;
}

}  // namespace

SchemaPart SchemaPart::below(const json::value& inner, std::string_view step) const {
    std::string where = path;
    for (const char c : step) where += c == '~' ? "~0" : std::string(1, c);
    return {.schema = &inner, .path = std::move(where)};
}

std::unexpected<Error> refuse_schema(const SchemaPart& part,
                                     std::string_view keyword,
                                     std::string_view why) {
    return fail(ErrorCode::kInvalidArgument, "JSON schema at {}: {} {}", part.path, keyword, why);
}

Result<SchemaParts> flatten(SchemaParts parts, const json::value& root) {
    SchemaParts out;
    std::set<const json::value*> seen;
    const SchemaParts given = parts;
    std::ranges::reverse(parts);
    while (!parts.empty()) {
        SchemaPart part = std::move(parts.back());
        parts.pop_back();
        for (const SchemaPart& one : given) {  // a choice stays made, however a schema is reached
            if (one.schema != part.schema) continue;
            part.any_of_done = part.any_of_done || one.any_of_done;
            part.one_of_done = part.one_of_done || one.one_of_done;
        }
        if (!seen.insert(part.schema).second) continue;
        if (seen.size() > kMaxParts) return refuse_schema(part, "allOf", "joins too many schemas");
        if (part.schema->is_bool()) {
            if (!part.schema->get_bool()) out.push_back(part);
            continue;
        }
        if (part.object() == nullptr)
            return refuse_schema(part, "a schema", "must be an object or a boolean");
        NOTSO_CHECK(check_keywords(part));
        if (const json::value* all = part.find("allOf"); all != nullptr) {
            if (!all->is_array()) return refuse_schema(part, "allOf", "must be an array");
            for (std::size_t i = all->get_array().size(); i-- > 0;)
                parts.push_back(part.below(all->get_array()[i], fmt::format("/allOf/{}", i)));
        }
        if (part.find("$ref") != nullptr) {
            NOTSO_TRY(const json::value* target, resolve(part, root));
            parts.push_back(
                {.schema = target, .path = std::string(part.find("$ref")->get_string())});
        }
        out.push_back(part);
    }
    return out;
}

Result<std::uint8_t> allowed_types(const SchemaParts& parts) {
    std::uint8_t types = kAnyType;
    for (const SchemaPart& part : parts) {
        NOTSO_TRY(const std::uint8_t of_part, types_of_part(part));
        types &= of_part;
    }
    if (types != kAnyType) return types;
    for (const SchemaPart& part : parts)
        if (const std::uint8_t meant = types_meant(part)) return meant;
    return types;
}

Result<NumberBounds> number_bounds(const SchemaParts& parts) {
    NumberBounds bounds;
    const auto raise = [&](double value, bool excluded) {
        if (bounds.low && (*bounds.low > value || (*bounds.low == value && !excluded))) return;
        bounds.low = value;
        bounds.low_excluded = excluded;
    };
    const auto lower = [&](double value, bool excluded) {
        if (bounds.high && (*bounds.high < value || (*bounds.high == value && !excluded))) return;
        bounds.high = value;
        bounds.high_excluded = excluded;
    };
    for (const SchemaPart& part : parts) {
        for (const std::string_view keyword :
             {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}) {
            const json::value* value = part.find(keyword);
            if (value == nullptr) continue;
            if (!value->is_number()) return refuse_schema(part, keyword, "must be a number");
            const double number = value->to_number<double>();
            const bool excluded = keyword.starts_with("exclusive");
            keyword.ends_with("inimum") ? raise(number, excluded) : lower(number, excluded);
        }
    }
    return bounds;
}

Result<CountBounds> count_bounds(const SchemaParts& parts,
                                 std::string_view min,
                                 std::string_view max) {
    CountBounds bounds;
    for (const SchemaPart& part : parts) {
        for (const std::string_view keyword : {min, max}) {
            const json::value* value = part.find(keyword);
            if (value == nullptr) continue;
            const double number = value->is_number() ? value->to_number<double>() : -1;
            if (number < 0 || number != std::floor(number))
                return refuse_schema(part, keyword, "must be a whole number that is not negative");
            constexpr double kMost = 1'000'000;
            if (keyword == min && number > 2000)
                return refuse_schema(part, keyword, "may be 2000 at most");
            const auto count = static_cast<std::int64_t>(std::min(number, kMost));
            if (keyword == min) {
                bounds.min = std::max(bounds.min, count);
            } else {
                bounds.max = bounds.max < 0 ? count : std::min(bounds.max, count);
            }
        }
    }
    return bounds;
}

Result<std::optional<json::array>> listed_values(const SchemaParts& parts) {
    const json::value* one = nullptr;
    const json::value* list = nullptr;
    for (const SchemaPart& part : parts) {
        if (one == nullptr) one = part.find("const");
        if (list == nullptr) list = part.find("enum");
        if (part.find("enum") != nullptr && !part.find("enum")->is_array())
            return refuse_schema(part, "enum", "must be an array");
    }
    if (one == nullptr && list == nullptr) return std::nullopt;
    json::array left;
    const json::array candidates = one != nullptr ? json::array{*one} : list->get_array();
    for (const json::value& value : candidates) {
        bool fits = true;
        for (const SchemaPart& part : parts) {
            if (part.schema->is_bool()) return json::array();  // false
            NOTSO_TRY(const bool lets, lets_through(part, value));
            fits = fits && lets;
        }
        if (fits) left.push_back(value);
    }
    return left;
}

bool is_never(const SchemaParts& parts) {
    if (std::ranges::any_of(parts, [](const SchemaPart& part) { return part.schema->is_bool(); }))
        return true;
    const auto types = allowed_types(parts);
    if (types && *types == 0) return true;
    const auto values = listed_values(parts);
    return values && *values && (*values)->empty();
}

Result<std::vector<std::string>> required_names(const SchemaParts& parts) {
    std::vector<std::string> names;
    for (const SchemaPart& part : parts) {
        const json::value* required = part.find("required");
        if (required == nullptr) continue;
        if (!required->is_array())
            return refuse_schema(part, "required", "must be an array of names");
        for (const json::value& name : required->get_array()) {
            if (!name.is_string())
                return refuse_schema(part, "required", "must be an array of names");
            const std::string text(name.get_string());
            if (std::ranges::find(names, text) == names.end()) names.push_back(text);
        }
    }
    return names;
}

std::optional<SchemaParts> member_parts(const SchemaParts& parts, std::string_view name) {
    SchemaParts out;
    for (const SchemaPart& part : parts) {
        const json::value* properties = part.find("properties");
        const json::value* found = nullptr;
        if (properties != nullptr && properties->is_object())
            found = properties->get_object().if_contains(name);
        std::string step = fmt::format("/properties/{}", name);
        if (found == nullptr) {
            found = part.find("additionalProperties");
            step = "/additionalProperties";
        }
        if (found == nullptr) continue;
        if (found->is_bool() && !found->get_bool()) return std::nullopt;
        out.push_back(part.below(*found, step));
    }
    return out;
}

Result<bool> are_disjoint(const SchemaParts& a,
                          const SchemaParts& b,
                          const json::value& root,
                          int depth) {
    if (is_never(a) || is_never(b)) return true;
    NOTSO_TRY(const std::uint8_t types_a, allowed_types(a));
    NOTSO_TRY(const std::uint8_t types_b, allowed_types(b));
    if ((types_a & types_b) == 0) return true;
    NOTSO_TRY(const auto values_a, listed_values(a));
    NOTSO_TRY(const auto values_b, listed_values(b));
    if (values_a && values_b) {
        return std::ranges::none_of(*values_a, [&](const json::value& one) {
            return std::ranges::any_of(*values_b,
                                       [&](const json::value& other) { return equal(one, other); });
        });
    }
    if (depth == kDisjointDepth || (types_a & types_b) != kObjectType) return false;
    NOTSO_TRY(std::vector<std::string> names, required_names(a));
    NOTSO_TRY(const std::vector<std::string> more, required_names(b));
    names.insert(names.end(), more.begin(), more.end());
    for (const std::string& name : names) {
        auto of_a = member_parts(a, name);
        auto of_b = member_parts(b, name);
        if (!of_a || !of_b) return true;
        if (of_a->empty() || of_b->empty()) continue;
        NOTSO_TRY(const SchemaParts flat_a, flatten(std::move(*of_a), root));
        NOTSO_TRY(const SchemaParts flat_b, flatten(std::move(*of_b), root));
        NOTSO_TRY(const bool apart, are_disjoint(flat_a, flat_b, root, depth + 1));
        if (apart) return true;
    }
    return false;
}

}  // namespace notso::services

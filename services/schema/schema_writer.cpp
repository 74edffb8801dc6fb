// See schema_writer.hpp.
#include "services/schema/schema_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "services/schema/gbnf_text.hpp"
#include "services/schema/schema_grammar.hpp"
#include "services/schema/string_pattern.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSchemaRules = 4096;
constexpr std::size_t kMaxGrammarBytes = 4 << 20;
constexpr std::size_t kMaxChoices = 256;

int depth_of(const json::value& value, int depth = 1) {
    if (depth > kMaxSchemaDepth) return depth;
    int deepest = depth;
    if (value.is_array()) {
        for (const json::value& item : value.get_array())
            deepest = std::max(deepest, depth_of(item, depth + 1));
    } else if (value.is_object()) {
        for (const auto& member : value.get_object())
            deepest = std::max(deepest, depth_of(member.value(), depth + 1));
    }
    return deepest;
}

std::string alternatives(const std::vector<std::string>& ways) {
    return fmt::format("{}", fmt::join(ways, " | "));
}

}  // namespace

Result<std::string> schema_to_gbnf(const json::value& schema) {
    if (depth_of(schema) > kMaxSchemaDepth)
        return fail(ErrorCode::kInvalidArgument,
                    "the JSON schema is nested deeper than {} levels",
                    kMaxSchemaDepth);
    if (const std::size_t size = json::serialize(schema).size(); size > kMaxSchemaBytes) {
        return fail(ErrorCode::kInvalidArgument,
                    "the JSON schema has {} bytes, {} are allowed",
                    size,
                    kMaxSchemaBytes);
    }
    return SchemaWriter(schema).write();
}

std::string any_object_gbnf() { return "root ::= any-object\n" + std::string(json_rules()); }

std::string repeat_with_comma(std::string_view item, std::int64_t lo, std::int64_t hi) {
    if (hi == 0) return "";
    const std::string bounds =
        hi < 0 ? fmt::format("{{{},}}", lo) : fmt::format("{{{},{}}}", lo, hi);
    return fmt::format("(\",\" ws {}){}", item, bounds);
}

Result<std::string> SchemaWriter::write() {
    NOTSO_TRY(const std::string first, rule_for({{.schema = &root_}}));
    while (!open_.empty()) {
        const Task task = std::move(open_.front());
        open_.pop_front();
        NOTSO_TRY(const std::string text, body(task.parts, task.rule));
        NOTSO_CHECK(add(task.rule, text));
    }
    return fmt::format("root ::= {}\n{}{}", first, out_, json_rules());
}

Result<> SchemaWriter::add(const std::string& rule, const std::string& text) {
    out_ += fmt::format("{} ::= {}\n", rule, text);
    if (n_rules_ <= kMaxSchemaRules && out_.size() <= kMaxGrammarBytes) return {};
    return fail(ErrorCode::kInvalidArgument,
                "the JSON schema takes more than {} rules or {} bytes of grammar",
                kMaxSchemaRules,
                kMaxGrammarBytes);
}

/// Carries the end of the path, so that messages about rules say where.
std::string SchemaWriter::new_rule(std::string_view path) {
    std::string name(path.substr(path.rfind('/') + 1).substr(0, 20));
    std::erase_if(name, [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
    });
    return fmt::format("{}-{}", name.empty() ? "schema" : name, ++n_rules_);
}

/// The rule for what satisfies all parts; written once for each set of them, so that schemas may
/// refer to themselves.
Result<std::string> SchemaWriter::rule_for(SchemaParts parts) {
    const std::string path = parts.empty() ? "" : parts.front().path;
    NOTSO_TRY(SchemaParts flat, flatten(std::move(parts), root_));
    if (flat.empty()) return "any";
    Key key;
    for (const SchemaPart& part : flat)
        key.emplace_back(part.schema, part.any_of_done + 2 * part.one_of_done);
    const auto [known, is_new] = known_.try_emplace(std::move(key));
    if (is_new) {
        known->second = new_rule(path);
        open_.push_back({known->second, std::move(flat)});
    }
    return known->second;
}

Result<std::string> SchemaWriter::body(const SchemaParts& parts, const std::string& rule) {
    for (const SchemaPart& part : parts)
        if (part.schema->is_bool()) return refuse_schema(part, "false", "lets nothing through");
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!parts[i].any_of_done && parts[i].find("anyOf") != nullptr)
            return choice(parts, i, "anyOf");
        if (!parts[i].one_of_done && parts[i].find("oneOf") != nullptr)
            return choice(parts, i, "oneOf");
    }
    NOTSO_TRY(const auto values, listed_values(parts));
    std::vector<std::string> ways;
    if (values) {
        for (const json::value& value : *values) ways.push_back(gbnf_json_value(value));
        if (ways.empty())
            return refuse_schema(
                parts.front(), "enum", "has no value that the other keywords allow");
        return alternatives(ways);
    }
    NOTSO_TRY(const std::uint8_t types, allowed_types(parts));
    if (types == 0)
        return refuse_schema(
            parts.front(), "type", "leaves no type: what is joined can't be satisfied");
    const bool is_any = types == kAnyType;
    if (is_any) return "any";
    for (int bit = 1; bit < kAnyType; bit <<= 1) {
        if ((types & bit) == 0 || (bit == kIntegerType && (types & kFractionType) != 0)) continue;
        NOTSO_TRY(const std::string way, of_type(parts, static_cast<std::uint8_t>(bit), rule));
        ways.push_back(way);
    }
    return alternatives(ways);
}

/// One alternative of a part's "anyOf" or "oneOf", together with everything else.
Result<std::string> SchemaWriter::choice(const SchemaParts& parts,
                                         std::size_t which,
                                         std::string_view keyword) {
    const SchemaPart& part = parts[which];
    const json::array& list = part.find(keyword)->get_array();
    if (list.size() > kMaxChoices)
        return refuse_schema(part, keyword, fmt::format("has more than {} schemas", kMaxChoices));
    std::vector<SchemaParts> ways;
    for (std::size_t i = 0; i < list.size(); ++i) {
        SchemaParts way = parts;
        (keyword == "anyOf" ? way[which].any_of_done : way[which].one_of_done) = true;
        way.push_back(part.below(list[i], fmt::format("/{}/{}", keyword, i)));
        NOTSO_TRY(SchemaParts flat, flatten(std::move(way), root_));
        // flatten() joins equal schemas: an alternative that is there already adds nothing.
        if (!is_never(flat)) ways.push_back(std::move(flat));
    }
    if (ways.empty())
        return refuse_schema(part, keyword, "has no alternative that can be satisfied");
    if (keyword == "oneOf") NOTSO_CHECK(check_disjoint(ways, part));
    std::vector<std::string> rules;
    for (SchemaParts& way : ways) {
        NOTSO_TRY(const std::string rule, rule_for(std::move(way)));
        if (std::ranges::find(rules, rule) == rules.end()) rules.push_back(rule);
    }
    return alternatives(rules);
}

Result<> SchemaWriter::check_disjoint(const std::vector<SchemaParts>& ways,
                                      const SchemaPart& part) {
    if (ways.size() > 32)
        return refuse_schema(part, "oneOf", "has more than 32 schemas: use anyOf");
    for (std::size_t i = 0; i < ways.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            NOTSO_TRY(const bool apart, are_disjoint(ways[j], ways[i], root_));
            if (!apart) {
                return refuse_schema(part,
                                     "oneOf",
                                     fmt::format("may let a value through that fits both schema {} "
                                                 "and {}: use anyOf, or a member "
                                                 "that tells them apart (const)",
                                                 j,
                                                 i));
            }
        }
    }
    return {};
}

Result<std::string> SchemaWriter::of_type(const SchemaParts& parts,
                                          std::uint8_t type,
                                          const std::string& rule) {
    switch (type) {
        case kNullType:
            return "\"null\"";
        case kBooleanType:
            return "boolean";
        case kIntegerType:
            return number(parts, true);
        case kFractionType:
            return number(parts, false);
        case kStringType:
            return string(parts);
        case kArrayType:
            return array(parts, rule);
        default:
            return object(parts, rule);
    }
}

Result<std::string> SchemaWriter::number(const SchemaParts& parts, bool whole) {
    NOTSO_TRY(const NumberBounds bounds, number_bounds(parts));
    std::int64_t step = 0;
    for (const SchemaPart& part : parts) {
        const json::value* value = part.find("multipleOf");
        if (value == nullptr) continue;
        const double number = value->is_number() ? value->to_number<double>() : 0;
        if (!(number >= 1 && number <= 1e9) ||
            number != static_cast<double>(static_cast<std::int64_t>(number)))
            return refuse_schema(
                part, "multipleOf", "must be a whole number from 1 to 1e9 to be supported");
        const auto one = static_cast<std::int64_t>(number);
        if (step != 0 && step != one)
            return refuse_schema(part, "multipleOf", "stands in two schemas that are joined");
        step = one;
    }
    std::string text;
    if (step != 0) {
        const auto found = multiples(step, bounds);
        if (!found) {
            return refuse_schema(
                parts.front(),
                "multipleOf",
                "needs bounds between which there are 500 multiples at most, or a power of ten");
        }
        text = *found;
    } else {
        text = whole ? integer_range(lowest_integer(bounds), highest_integer(bounds))
                     : number_range(bounds);
    }
    if (text.empty()) return refuse_schema(parts.front(), "minimum and maximum", "leave no number");
    return text;
}

Result<std::string> SchemaWriter::string(const SchemaParts& parts) {
    NOTSO_TRY(const CountBounds length, count_bounds(parts, "minLength", "maxLength"));
    if (length.max >= 0 && length.max < length.min)
        return refuse_schema(parts.front(), "minLength", "is greater than maxLength");
    std::optional<StringGrammar> content;
    for (const SchemaPart& part : parts) {
        for (const std::string_view keyword : {"pattern", "format"}) {
            const json::value* value = part.find(keyword);
            if (value == nullptr) continue;
            if (!value->is_string()) return refuse_schema(part, keyword, "must be a string");
            if (content)
                return refuse_schema(
                    part, keyword, "can't be joined with another pattern or format");
            if (keyword == "format") {
                content = format_grammar(value->get_string());
                if (!content)
                    return refuse_schema(part, keyword, "is not supported: " + json_text(*value));
                continue;
            }
            auto grammar = pattern_grammar(value->get_string());
            if (!grammar)
                return refuse_schema(part, keyword, "is not supported, " + grammar.error().detail);
            content = *std::move(grammar);
        }
    }
    if (!content && length.min == 0 && length.max < 0) return "string";
    if (!content) {
        const std::string most = length.max < 0 ? "" : std::to_string(length.max);
        return fmt::format(R"("\"" char{{{},{}}} "\"")", length.min, most);
    }
    const bool too_short = content->min_length < length.min;
    const bool too_long = length.max >= 0 && (content->max_length == kUnboundedLength ||
                                              content->max_length > length.max);
    if (too_short || too_long) {
        return refuse_schema(
            parts.front(),
            too_short ? "minLength" : "maxLength",
            "can't be joined with a pattern or format whose texts may have another length");
    }
    return fmt::format(R"("\"" {} "\"")", content->gbnf);
}

}  // namespace notso::services

// Objects: members in the order of the schema, each once; then others, whose names differ from
// theirs.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "services/schema/gbnf_text.hpp"
#include "services/schema/schema_writer.hpp"
#include "services/schema/string_pattern.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxNameNodes = 500;  // of the tree that tells other names apart

std::string name_literal(std::string_view name) {
    return gbnf_literal(json::serialize(json::value(name)) + ":");
}

std::vector<char32_t> code_points(std::string_view text) {
    std::vector<char32_t> out;
    while (!text.empty()) {
        const DecodedCodePoint decoded = decode_utf8(text);
        out.push_back(decoded.value);
        text.remove_prefix(decoded.size);
    }
    return out;
}

/// A tree of names, by character.
struct NameNode {
    bool is_name = false;
    std::map<char32_t, NameNode> next = {};
};

/// Any unescaped character but those that go on with a name.
std::string characters_but(const std::map<char32_t, NameNode>& next) {
    std::vector<CodeRange> ranges;
    char32_t first = 0x20;
    const auto skip = [&](char32_t c) {
        if (c > first) ranges.emplace_back(first, c - 1);
        first = std::max<char32_t>(first, c + 1);
    };
    std::vector<char32_t> left_out = {U'"', U'\\', 0x7F, 0xD800};
    for (const auto& [c, node] : next) left_out.push_back(c);
    std::ranges::sort(left_out);
    for (const char32_t c : left_out) {
        if (c < first) continue;
        skip(c);
        if (c == 0xD800) first = 0xE000;
    }
    ranges.emplace_back(first, kMaxCodePoint);
    return gbnf_json_characters(ranges);
}

}  // namespace

Result<std::string> SchemaWriter::object(const SchemaParts& parts, const std::string& rule) {
    ObjectPlan plan;
    plan.rule = rule;
    NOTSO_TRY(plan.count, count_bounds(parts, "minProperties", "maxProperties"));
    std::vector<std::string> names;
    NOTSO_CHECK(plan_members(parts, plan, names));
    NOTSO_CHECK(plan_extras(parts, plan, names));
    const auto n_required = std::ranges::count_if(plan.members, &Member::required);
    if (plan.count.max >= 0 &&
        plan.count.max < std::max(plan.count.min, static_cast<std::int64_t>(n_required)))
        return refuse_schema(parts.front(), "maxProperties", "is less than what is required");
    if (plan.count.min - n_required <= 0) plan.count.min = 0;
    if (plan.extra.empty() && plan.count.max >= std::ssize(plan.members)) plan.count.max = -1;
    auto text = chain(plan);
    if (text) return text;
    return refuse_schema(parts.front(), "minProperties", text.error().detail);
}

Result<> SchemaWriter::plan_members(const SchemaParts& parts,
                                    ObjectPlan& plan,
                                    std::vector<std::string>& names) {
    const auto note = [&](std::string name) {
        if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    };
    for (const SchemaPart& part : parts) {
        const json::value* properties = part.find("properties");
        if (properties == nullptr) continue;
        for (const auto& member : properties->get_object()) note(std::string(member.key()));
    }
    NOTSO_TRY(const std::vector<std::string> required, required_names(parts));
    for (const std::string& name : required) note(name);
    for (const std::string& name : names) {
        const bool is_required = std::ranges::find(required, name) != required.end();
        auto found = member_parts(parts, name);
        SchemaParts flat;
        if (found) {
            NOTSO_TRY(flat, flatten(std::move(*found), root_));
        }
        if (!found || is_never(flat)) {
            if (is_required)
                return refuse_schema(
                    parts.front(), "required", "names a member that no value fits: " + name);
            continue;
        }
        NOTSO_TRY(const std::string value, rule_for(std::move(flat)));
        plan.members.push_back({fmt::format("{} sp {}", name_literal(name), value), is_required});
    }
    return {};
}

/// Members that the schema does not name: none where it names some and says nothing of others.
Result<> SchemaWriter::plan_extras(const SchemaParts& parts,
                                   ObjectPlan& plan,
                                   const std::vector<std::string>& names) {
    SchemaParts values;
    bool says = false;
    bool has_patterns = false;
    for (const SchemaPart& part : parts) {
        const json::value* others = part.find("additionalProperties");
        has_patterns = has_patterns || part.find("patternProperties") != nullptr;
        if (others == nullptr) continue;
        if (others->is_bool() && !others->get_bool()) {
            if (has_patterns || part.find("patternProperties") != nullptr) continue;
            return {};
        }
        says = true;
        values.push_back(part.below(*others, "/additionalProperties"));
    }
    std::string key;
    if (has_patterns) {
        if (!names.empty())
            return refuse_schema(
                parts.front(), "patternProperties", "can't be joined with other names");
        values.clear();
        NOTSO_TRY(key, pattern_key(parts, values));
    } else if (!says && !names.empty()) {
        return {};
    } else {
        NOTSO_TRY(key, other_key(names, plan.rule));
    }
    NOTSO_TRY(const SchemaParts flat, flatten(std::move(values), root_));
    if (is_never(flat)) return {};
    NOTSO_TRY(const std::string value, rule_for(flat));
    plan.extra = fmt::format("{} \":\" sp {}", key, value);
    return {};
}

/// The only pattern of "patternProperties", and its schema.
Result<std::string> SchemaWriter::pattern_key(const SchemaParts& parts, SchemaParts& values) {
    std::string key;
    for (const SchemaPart& part : parts) {
        const json::value* patterns = part.find("patternProperties");
        if (patterns == nullptr) continue;
        if (!key.empty() || patterns->get_object().size() != 1)
            return refuse_schema(part, "patternProperties", "may have one pattern only");
        const auto& member = *patterns->get_object().begin();
        auto grammar = pattern_grammar(member.key());
        if (!grammar)
            return refuse_schema(
                part, "patternProperties", "is not supported, " + grammar.error().detail);
        key = fmt::format(R"("\"" {} "\"")", grammar->gbnf);
        values.push_back(part.below(
            member.value(), fmt::format("/patternProperties/{}", std::string_view(member.key()))));
    }
    return key;
}

/// A string that is none of these names: it leaves their tree at some character, or ends inside.
Result<std::string> SchemaWriter::other_key(const std::vector<std::string>& names,
                                            const std::string& rule) {
    if (names.empty()) return "string";
    NameNode tree;
    std::size_t n_nodes = 1;
    for (const std::string& name : names) n_nodes += name.size();
    for (const std::string& name : names) {
        NameNode* node = &tree;
        // With too many names only the first character decides.
        const auto characters =
            code_points(n_nodes > kMaxNameNodes ? std::string_view(name).substr(0, 1) : name);
        for (const char32_t c : characters) node = &node->next[c];
        node->is_name = true;
    }
    struct Open {
        const NameNode* node;
        std::string rule;
    };
    std::vector<Open> open = {{&tree, rule + "-k"}};
    std::size_t n = 0;
    while (!open.empty()) {
        const Open now = std::move(open.back());
        open.pop_back();
        std::string text = characters_but(now.node->next) + " char*";
        if (!now.node->is_name) text += " | \"\"";
        for (const auto& [c, next] : now.node->next) {
            if (c < 0x20 || c == U'"' || c == U'\\' || (n_nodes > kMaxNameNodes)) continue;
            std::string written;
            append_utf8(written, c);
            open.push_back({&next, fmt::format("{}-k{}", rule, ++n)});
            text += fmt::format(" | {} {}", gbnf_literal(written), open.back().rule);
        }
        ++n_rules_;
        NOTSO_CHECK(add(now.rule, text));
    }
    return fmt::format(R"("\"" {}-k "\"")", rule);
}

/// What may close an object after so many members; absent when it can't end there.
std::optional<std::string> SchemaWriter::object_end(const ObjectPlan& plan, std::int64_t n_before) {
    const std::int64_t least = std::max<std::int64_t>(0, plan.count.min - n_before);
    const std::int64_t most = plan.count.max < 0 ? -1 : plan.count.max - n_before;
    if (most < -1 || (most >= 0 && most < least)) return std::nullopt;
    const std::string close = n_before > 0 ? "ws \"}\"" : "\"}\"";
    if (plan.extra.empty() || most == 0) return least == 0 ? std::optional(close) : std::nullopt;
    // Two names that nobody listed might be the same: they can't be counted.
    if (least > 1) return std::nullopt;
    if (n_before > 0) return repeat_with_comma(plan.extra, least, most) + " " + close;
    const std::string some = fmt::format(
        "{} {} ws \"}}\"", plan.extra, repeat_with_comma(plan.extra, 0, most < 0 ? -1 : most - 1));
    return least == 0 ? fmt::format("({} | \"}}\")", some) : some;
}

/// Rules "what may follow member i when k members stand before it", from the last to the first.
Result<std::string> SchemaWriter::chain(const ObjectPlan& plan) {
    const std::size_t n = plan.members.size();
    const bool counts = plan.count.min > 0 || plan.count.max >= 0;
    const std::size_t n_columns = counts ? n + 1 : 2;  // without counting: none, or some
    if (counts && n * n_columns > 4096)
        return fail(ErrorCode::kInvalidArgument, "and maxProperties count too many members");
    std::vector<std::optional<std::string>> after(n_columns);
    for (std::size_t k = 0; k < n_columns; ++k)
        after[k] = object_end(plan, static_cast<std::int64_t>(k));
    for (std::size_t i = n; i-- > 0;) {
        std::vector<std::optional<std::string>> now(n_columns);
        for (std::size_t k = 0; k < n_columns && k <= i; ++k) {
            const Member& member = plan.members[i];
            const auto& with = after[std::min(k + 1, n_columns - 1)];
            const bool may_take =
                with && (plan.count.max < 0 || static_cast<std::int64_t>(k) < plan.count.max);
            std::string text;
            if (may_take)
                text = fmt::format("{}{} {}", k > 0 ? "\",\" ws " : "", member.text, *with);
            if (!member.required && after[k]) text += (text.empty() ? "" : " | ") + *after[k];
            if (text.empty()) continue;
            now[k] = fmt::format("{}-m{}-{}", plan.rule, i, k);
            ++n_rules_;
            NOTSO_CHECK(add(*now[k], text));
        }
        after = std::move(now);
    }
    if (!after[0])
        return fail(ErrorCode::kInvalidArgument, "asks for more members than can be told apart");
    return "\"{\" ws " + *after[0];
}

}  // namespace notso::services

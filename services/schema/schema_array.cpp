// Arrays: first the items that have schemas of their own, then the others.
#include <fmt/format.h>

#include "services/schema/schema_writer.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

/// "prefixItems", or the older form of "items" that is an array.
const json::array* prefix_of(const SchemaPart& part) {
    for (const std::string_view keyword : {"prefixItems", "items"})
        if (const json::value* list = part.find(keyword); list != nullptr && list->is_array())
            return &list->get_array();
    return nullptr;
}

/// The schema of items behind the prefix.
const json::value* rest_of(const SchemaPart& part) {
    const json::value* items = part.find("items");
    if (items != nullptr && items->is_array()) return part.find("additionalItems");
    return items;
}

SchemaParts parts_at(const SchemaParts& parts, std::size_t i) {
    SchemaParts out;
    for (const SchemaPart& part : parts) {
        const json::array* prefix = prefix_of(part);
        if (prefix != nullptr && i < prefix->size()) {
            out.push_back(part.below((*prefix)[i], fmt::format("/prefixItems/{}", i)));
        } else if (const json::value* rest = rest_of(part); rest != nullptr) {
            out.push_back(part.below(*rest, "/items"));
        }
    }
    return out;
}

}  // namespace

Result<std::string> SchemaWriter::array(const SchemaParts& parts, const std::string& rule) {
    NOTSO_TRY(CountBounds count, count_bounds(parts, "minItems", "maxItems"));
    std::size_t n_prefix = 0;
    bool has_rest = false;
    for (const SchemaPart& part : parts) {
        if (const json::array* prefix = prefix_of(part); prefix != nullptr)
            n_prefix = std::max(n_prefix, prefix->size());
        has_rest = has_rest || rest_of(part) != nullptr;
    }
    if (count.max >= 0) n_prefix = std::min(n_prefix, static_cast<std::size_t>(count.max));
    std::vector<std::string> items;  // rules
    for (std::size_t i = 0; i < n_prefix; ++i) {
        NOTSO_TRY(const SchemaParts flat, flatten(parts_at(parts, i), root_));
        if (is_never(flat)) {  // the array must be over before
            count.max = static_cast<std::int64_t>(i);
            break;
        }
        NOTSO_TRY(const std::string item, rule_for(flat));
        items.push_back(item);
    }
    const auto n = static_cast<std::int64_t>(items.size());
    NOTSO_TRY(const SchemaParts rest, flatten(parts_at(parts, n_prefix), root_));
    const bool more_wanted = has_rest || n_prefix == 0 || count.min > n;
    const bool more = !is_never(rest) && more_wanted && (count.max < 0 || count.max > n);
    if (!more) count.max = count.max < 0 ? n : std::min(count.max, n);
    if (count.max >= 0 && count.max < count.min)
        return refuse_schema(parts.front(), "minItems", "asks for more items than there may be");
    std::string other;
    if (more) {
        NOTSO_TRY(other, rule_for(rest));
    }
    // From the last to the first: what may stand behind i items.
    const std::int64_t most = count.max < 0 ? -1 : count.max - n;
    const std::int64_t least = std::max<std::int64_t>(0, count.min - n);
    std::string text = "ws \"]\"";
    if (more && n > 0) text = repeat_with_comma(other, least, most) + " " + text;
    if (more && n == 0) {
        text =
            fmt::format("{} {} ws \"]\"",
                        other,
                        repeat_with_comma(
                            other, std::max<std::int64_t>(0, least - 1), most < 0 ? -1 : most - 1));
        if (least == 0) text = "(" + text + " | \"]\")";
    }
    for (std::int64_t i = n; i-- > 0;) {
        const std::string name = fmt::format("{}-i{}", rule, i + 1);
        ++n_rules_;
        NOTSO_CHECK(add(name, text));
        text = fmt::format(
            "{}{} {}", i > 0 ? "\",\" ws " : "", items[static_cast<std::size_t>(i)], name);
        if (count.min <= i) text += i > 0 ? " | ws \"]\"" : " | \"]\"";
    }
    return fmt::format("\"[\" ws ({})", text) + "";
}

}  // namespace notso::services

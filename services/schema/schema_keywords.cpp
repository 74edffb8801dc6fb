// See schema_keywords.hpp.
#include "services/schema/schema_keywords.hpp"

#include <algorithm>

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::string_view kRefused[] = {"not",
                                         "if",
                                         "then",
                                         "else",
                                         "contains",
                                         "minContains",
                                         "maxContains",
                                         "propertyNames",
                                         "dependentRequired",
                                         "dependentSchemas",
                                         "dependencies",
                                         "unevaluatedProperties",
                                         "unevaluatedItems",
                                         "$dynamicRef",
                                         "$recursiveRef"};

struct Telling {
    std::string_view keyword;
    std::uint8_t types;
};
constexpr Telling kTelling[] = {{"properties", kObjectType},
                                {"required", kObjectType},
                                {"additionalProperties", kObjectType},
                                {"patternProperties", kObjectType},
                                {"minProperties", kObjectType},
                                {"maxProperties", kObjectType},
                                {"items", kArrayType},
                                {"prefixItems", kArrayType},
                                {"minItems", kArrayType},
                                {"maxItems", kArrayType},
                                {"minLength", kStringType},
                                {"maxLength", kStringType},
                                {"pattern", kStringType},
                                {"format", kStringType},
                                {"minimum", kIntegerType | kFractionType},
                                {"maximum", kIntegerType | kFractionType},
                                {"exclusiveMinimum", kIntegerType | kFractionType},
                                {"exclusiveMaximum", kIntegerType | kFractionType},
                                {"multipleOf", kIntegerType | kFractionType}};

bool is_true(const json::value* value) {
    return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace

Result<> check_keywords(const SchemaPart& part) {
    for (const auto& [key, value] : *part.object()) {
        if (std::ranges::find(kRefused, std::string_view(key)) != std::end(kRefused))
            return refuse_schema(part, key, "is not supported");
    }
    if (is_true(part.find("uniqueItems")) && part.find("const") == nullptr &&
        part.find("enum") == nullptr)
        return refuse_schema(part, "uniqueItems", "is not supported");
    for (const std::string_view keyword : {"anyOf", "oneOf"}) {
        const json::value* list = part.find(keyword);
        if (list != nullptr && (!list->is_array() || list->get_array().empty()))
            return refuse_schema(part, keyword, "must be an array that is not empty");
    }
    for (const std::string_view keyword : {"properties", "patternProperties"}) {
        const json::value* members = part.find(keyword);
        if (members != nullptr && !members->is_object())
            return refuse_schema(part, keyword, "must be an object");
    }
    return {};
}

std::uint8_t types_meant(const SchemaPart& part) {
    for (const auto& [keyword, types] : kTelling)
        if (part.find(keyword) != nullptr) return types;
    return 0;
}

std::string_view keyword_beside_enum(const json::object& schema, json::kind kind) {
    const auto first_of =
        [&](std::initializer_list<std::string_view> keywords) -> std::string_view {
        for (const std::string_view keyword : keywords)
            if (schema.contains(keyword)) return keyword;
        return {};
    };
    switch (kind) {
        case json::kind::string:
            return first_of({"pattern", "format"});
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            return first_of({"multipleOf"});
        case json::kind::array:
            return first_of({"items", "prefixItems", "minItems", "maxItems"});
        case json::kind::object:
            return first_of({"properties",
                             "required",
                             "additionalProperties",
                             "patternProperties",
                             "minProperties",
                             "maxProperties"});
        default:
            return {};
    }
}

}  // namespace notso::services

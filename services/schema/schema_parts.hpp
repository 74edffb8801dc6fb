// What a value has to satisfy: several schemas at once, found by following "$ref" and "allOf". Here
// is what can be said of them without writing a grammar.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/schema/number_grammar.hpp"

namespace notso::services {

/// One of the schemas.
struct SchemaPart {
    const boost::json::value* schema = nullptr;
    std::string path = "#";    ///< Where it stands, as a JSON pointer.
    bool any_of_done = false;  ///< Its "anyOf" was chosen from already.
    bool one_of_done = false;

    const boost::json::object* object() const { return schema->if_object(); }
    const boost::json::value* find(std::string_view keyword) const {
        const boost::json::object* members = object();
        return members == nullptr ? nullptr : members->if_contains(keyword);
    }
    SchemaPart below(const boost::json::value& inner, std::string_view step) const;
};
using SchemaParts = std::vector<SchemaPart>;

/// Kinds of JSON values, one bit each.
enum TypeBits : std::uint8_t {
    kNullType = 1,
    kBooleanType = 2,
    kIntegerType = 4,
    kFractionType = 8,  ///< Numbers that are not whole.
    kStringType = 16,
    kArrayType = 32,
    kObjectType = 64,
    kAnyType = 127,
};

/// A refusal that names the keyword and where it stands.
std::unexpected<Error> refuse_schema(const SchemaPart& part,
                                     std::string_view keyword,
                                     std::string_view why);

/// Bounds of a count: minItems and the like.
struct CountBounds {
    std::int64_t min = 0;
    std::int64_t max = -1;  ///< -1 = none
    bool allows(std::int64_t n) const { return n >= min && (max < 0 || n <= max); }
};

/// Follows "$ref" and "allOf" until only schemas are left that say something themselves, each once.
/// @errors kInvalidArgument for a reference that leads nowhere or outside, and unsupported
/// keywords.
Result<SchemaParts> flatten(SchemaParts parts, const boost::json::value& root);

/// The types that all parts allow. Where none says, those that their keywords are about.
Result<std::uint8_t> allowed_types(const SchemaParts& parts);
Result<NumberBounds> number_bounds(const SchemaParts& parts);
Result<CountBounds> count_bounds(const SchemaParts& parts,
                                 std::string_view min,
                                 std::string_view max);

/// The values that "enum" and "const" leave and the other keywords allow; absent without such.
Result<std::optional<boost::json::array>> listed_values(const SchemaParts& parts);

/// Nothing satisfies them, as far as it can be seen without looking inside.
bool is_never(const SchemaParts& parts);

/// Names in "required" of any part, in their order.
Result<std::vector<std::string>> required_names(const SchemaParts& parts);
/// What a member must satisfy, not flattened; absent when some part forbids it.
std::optional<SchemaParts> member_parts(const SchemaParts& parts, std::string_view name);

/// No value satisfies both, for a reason that is easy to see: types, listed values, a member.
Result<bool> are_disjoint(const SchemaParts& a,
                          const SchemaParts& b,
                          const boost::json::value& root,
                          int depth = 0);

}  // namespace notso::services

// SchemaWriter: writes the rules for one schema. Private to schema_to_gbnf(): schema_writer.cpp has
// the choice between kinds of values, schema_object.cpp and schema_array.cpp what has parts.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "services/schema/schema_parts.hpp"

namespace notso::services {

class SchemaWriter {
  public:
    explicit SchemaWriter(const boost::json::value& root) : root_(root) {}

    /// The whole grammar.
    Result<std::string> write();

  private:
    /// Where the schemas stand in memory, and which choices are made.
    using Key = std::vector<std::pair<const boost::json::value*, int>>;
    struct Task {
        std::string rule;
        SchemaParts parts;
    };
    /// A member of an object.
    struct Member {
        std::string text;  ///< "name": value, as GBNF.
        bool required = false;
    };
    struct ObjectPlan {
        std::vector<Member> members;
        std::string extra;  ///< A member with another name; empty = none may come.
        CountBounds count;
        std::string rule;  ///< What its rules' names begin with.
    };

    Result<std::string> rule_for(SchemaParts parts);
    Result<std::string> body(const SchemaParts& parts, const std::string& rule);
    Result<std::string> choice(const SchemaParts& parts,
                               std::size_t which,
                               std::string_view keyword);
    Result<> check_disjoint(const std::vector<SchemaParts>& ways, const SchemaPart& part);
    Result<std::string> of_type(const SchemaParts& parts,
                                std::uint8_t type,
                                const std::string& rule);
    Result<std::string> number(const SchemaParts& parts, bool whole);
    Result<std::string> string(const SchemaParts& parts);
    std::string new_rule(std::string_view path);
    Result<> add(const std::string& rule, const std::string& text);

    // schema_object.cpp
    Result<std::string> object(const SchemaParts& parts, const std::string& rule);
    Result<> plan_members(const SchemaParts& parts,
                          ObjectPlan& plan,
                          std::vector<std::string>& names);
    Result<> plan_extras(const SchemaParts& parts,
                         ObjectPlan& plan,
                         const std::vector<std::string>& names);
    Result<std::string> pattern_key(const SchemaParts& parts, SchemaParts& values);
    Result<std::string> other_key(const std::vector<std::string>& names, const std::string& rule);
    Result<std::string> chain(const ObjectPlan& plan);
    static std::optional<std::string> object_end(const ObjectPlan& plan, std::int64_t n_before);

    // schema_array.cpp
    Result<std::string> array(const SchemaParts& parts, const std::string& rule);

    const boost::json::value& root_;
    std::string out_;
    std::map<Key, std::string> known_;
    std::deque<Task> open_;
    std::size_t n_rules_ = 0;
};

/// Repeats a comma and an item; `hi` < 0 = without end.
std::string repeat_with_comma(std::string_view item, std::int64_t lo, std::int64_t hi);

}  // namespace notso::services

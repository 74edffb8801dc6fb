// Filters that compare items: sort, unique, min, max, groupby, dictsort.
#include <unordered_set>

#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/sequence_ops.hpp"

namespace notso::services::jinja {
namespace {

struct KeyRule {
    const Value* attribute = nullptr;  ///< nullptr: the item itself.
    const Value* otherwise = nullptr;
    bool case_sensitive = false;
};

Result<std::vector<Value>> keys_of(Interpreter& interpreter,
                                   const Sequence& items,
                                   const KeyRule& rule) {
    std::vector<Value> keys;
    keys.reserve(items.items.size());
    for (const Value& item : items.items) {
        NOTSO_CHECK(interpreter.spend());
        Value key = item;
        if (rule.attribute != nullptr) {
            NOTSO_TRY(key, attribute_path(interpreter, item, *rule.attribute, rule.otherwise));
        }
        NOTSO_CHECK(interpreter.spend_on(key));
        keys.push_back(rule.case_sensitive ? key : fold_case(key));
    }
    return keys;
}

// The key of an item is a list, also with one attribute: Python then never compares what is equal,
// such as two nones. "a,b" sorts by several attributes.
Result<std::vector<Value>> sort_keys(Interpreter& interpreter,
                                     const Sequence& items,
                                     const KeyRule& rule) {
    const bool by_path = rule.attribute != nullptr && rule.attribute->is_string();
    if (!by_path) {
        NOTSO_TRY(auto keys, keys_of(interpreter, items, rule));
        for (Value& key : keys) key = Value::list({key});
        return keys;
    }
    std::vector<std::vector<Value>> lists(items.items.size());
    for (std::string_view rest = rule.attribute->text();;) {
        const std::size_t comma = rest.find(',');
        const Value part = Value::string(std::string(rest.substr(0, comma)));
        NOTSO_TRY(const auto keys,
                  keys_of(interpreter, items, {&part, nullptr, rule.case_sensitive}));
        for (std::size_t i = 0; i < keys.size(); ++i) lists[i].push_back(keys[i]);
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    std::vector<Value> keys;
    for (auto& list : lists) keys.push_back(Value::list(std::move(list)));
    return keys;
}

std::vector<Value> in_order(const std::vector<Value>& items,
                            const std::vector<std::size_t>& order) {
    std::vector<Value> out;
    out.reserve(order.size());
    for (const std::size_t i : order) out.push_back(items[i]);
    return out;
}

Result<Value> filter_sort(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"sort", {"reverse", "case_sensitive", "attribute"}}));
    NOTSO_TRY(const bool reverse, bound.flag(0));
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    const KeyRule rule{bound.set(2) ? &bound[2] : nullptr, nullptr, bound.truth(1, false)};
    NOTSO_TRY(const auto keys, sort_keys(interpreter, *items, rule));
    NOTSO_TRY(const auto order, sorted_order(interpreter, keys, reverse));
    return Value::list(in_order(items->items, order));
}

struct ValueHash {
    std::size_t operator()(const Value& value) const { return hash_of(value).value_or(0); }
};
struct ValueEqual {
    bool operator()(const Value& left, const Value& right) const { return equals(left, right); }
};

Result<std::vector<Value>> make_unique(Interpreter& interpreter,
                                       const Value& value,
                                       const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"unique", {"case_sensitive", "attribute"}}));
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    NOTSO_TRY(const auto keys,
              keys_of(interpreter,
                      *items,
                      {bound.set(1) ? &bound[1] : nullptr, nullptr, bound.truth(0, false)}));
    std::unordered_set<Value, ValueHash, ValueEqual> seen;
    std::vector<Value> out;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!hash_of(keys[i])) {
            return fail(
                ErrorCode::kInvalidArgument, "unique: a '{}' can't be hashed", keys[i].type_name());
        }
        if (seen.insert(keys[i]).second) out.push_back(items->items[i]);
    }
    return out;
}

template <bool Largest>
Result<Value> filter_extreme(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound,
              bind(args, {Largest ? "max" : "min", {"case_sensitive", "attribute"}}));
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    if (items->items.empty()) return Value::undefined("no aggregated item, the sequence is empty");
    NOTSO_TRY(const auto keys,
              keys_of(interpreter,
                      *items,
                      {bound.set(1) ? &bound[1] : nullptr, nullptr, bound.truth(0, false)}));
    std::size_t best = 0;
    for (std::size_t i = 1; i < keys.size(); ++i) {
        NOTSO_TRY(const bool better,
                  Largest ? less_than(keys[best], keys[i]) : less_than(keys[i], keys[best]));
        if (better) best = i;
    }
    return items->items[best];
}

Result<Value> filter_groupby(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound,
              bind(args, {"groupby", {"attribute", "default", "case_sensitive"}, 1}));
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    const bool case_sensitive = bound.truth(2, false);
    const Value* otherwise = bound.set(1) ? &bound[1] : nullptr;
    NOTSO_TRY(const auto keys,
              keys_of(interpreter, *items, {&bound[0], otherwise, case_sensitive}));
    NOTSO_TRY(const auto order, sorted_order(interpreter, keys));
    std::vector<Value> groups;
    for (std::size_t i = 0; i < order.size();) {
        std::vector<Value> members;
        const std::size_t first = order[i];
        for (; i < order.size() && equals(keys[order[i]], keys[first]); ++i) {
            members.push_back(items->items[order[i]]);
        }
        Value key = keys[first];
        if (!case_sensitive) {
            NOTSO_TRY(key, attribute_path(interpreter, items->items[first], bound[0], otherwise));
        }
        groups.push_back(Value::group(std::move(key), Value::list(std::move(members))));
    }
    return Value::list(std::move(groups));
}

Result<Value> filter_dictsort(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"dictsort", {"case_sensitive", "by", "reverse"}}));
    NOTSO_TRY(const auto by, bound.text(1, "key"));
    if (by != "key" && by != "value") {
        return fail(
            ErrorCode::kInvalidArgument, "dictsort sorts by 'key' or 'value', not '{}'", by);
    }
    if (!value.is_dict()) {
        return fail(
            ErrorCode::kInvalidArgument, "dictsort works on a dict, not '{}'", value.type_name());
    }
    NOTSO_TRY(const bool reverse, bound.flag(2));
    std::vector<Value> keys;
    std::vector<Value> pairs;
    for (const auto& [key, item] : value.as_dict().entries()) {
        const Value& sorted_by = by == "key" ? key : item;
        NOTSO_CHECK(interpreter.spend_on(sorted_by));
        keys.push_back(bound.truth(0, false) ? sorted_by : fold_case(sorted_by));
        pairs.push_back(Value::tuple({key, item}));
    }
    NOTSO_TRY(const auto order, sorted_order(interpreter, keys, reverse));
    return Value::list(in_order(pairs, order));
}

constexpr NamedFilter kOrderFilters[] = {
    {"sort", filter_sort},
    {"unique", generator<make_unique>},
    {"min", filter_extreme<false>},
    {"max", filter_extreme<true>},
    {"groupby", filter_groupby},
    {"dictsort", filter_dictsort},
};

}  // namespace

std::span<const NamedFilter> order_filters() { return kOrderFilters; }

}  // namespace notso::services::jinja

// Look-up by name; see registry.hpp.
#include "services/template/jinja/registry.hpp"

#include <algorithm>
#include <unordered_map>

namespace notso::services::jinja {
namespace {

template <class Function>
using Table = std::unordered_map<std::string_view, Function>;

template <class Row, class... Groups>
auto make_table(Groups... groups) {
    Table<decltype(Row::function)> table;
    const auto add = [&](std::span<const Row> rows) {
        for (const Row& row : rows) table.emplace(row.name, row.function);
    };
    (add(groups), ...);
    return table;
}

template <class Function>
Function look_up(const Table<Function>& table, std::string_view name) {
    const auto found = table.find(name);
    return found != table.end() ? found->second : nullptr;
}

constexpr std::string_view kMutatingListMethods[] = {
    "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"};
constexpr std::string_view kMutatingDictMethods[] = {
    "clear", "pop", "popitem", "setdefault", "update"};

}  // namespace

FilterFunction find_filter(std::string_view name) {
    static const auto table = make_table<NamedFilter>(text_filters(),
                                                      format_filters(),
                                                      html_filters(),
                                                      number_filters(),
                                                      sequence_filters(),
                                                      select_filters(),
                                                      order_filters(),
                                                      page_filters(),
                                                      pprint_filters(),
                                                      wrap_filters());
    return look_up(table, name);
}

TestFunction find_test(std::string_view name) {
    static const auto table = make_table<NamedTest>(value_tests());
    return look_up(table, name);
}

FilterFunction find_method(const Value& value, std::string_view name) {
    static const auto strings =
        make_table<NamedFilter>(string_methods(), string_search_methods(), string_class_methods());
    static const auto lists = make_table<NamedFilter>(list_methods());
    static const auto dicts = make_table<NamedFilter>(dict_methods());
    static const auto integers = make_table<NamedFilter>(integer_methods());
    static const auto floats = make_table<NamedFilter>(float_methods());
    if (value.is_string()) return look_up(strings, name);
    if (value.is_integral()) return look_up(integers, name);
    if (value.is_float()) return look_up(floats, name);
    if (value.is_dict()) return look_up(dicts, name);
    return value.is_sequence() && !(value.is_tuple() && name == "copy") ? look_up(lists, name)
                                                                        : nullptr;
}

bool is_mutating_method(const Value& value, std::string_view name) {
    if (value.is_list()) {
        return std::find(std::begin(kMutatingListMethods), std::end(kMutatingListMethods), name) !=
               std::end(kMutatingListMethods);
    }
    return value.is_dict() &&
           std::find(std::begin(kMutatingDictMethods), std::end(kMutatingDictMethods), name) !=
               std::end(kMutatingDictMethods);
}

}  // namespace notso::services::jinja

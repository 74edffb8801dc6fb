// Filters that apply another filter or a test to each item: map, select, reject, selectattr,
// rejectattr.
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/sequence_ops.hpp"

namespace notso::services::jinja {
namespace {

// The arguments behind the first `count`.
CallArgs rest_of(const CallArgs& args, std::size_t count) {
    CallArgs rest = args;
    rest.positional.erase(rest.positional.begin(),
                          rest.positional.begin() + static_cast<std::ptrdiff_t>(count));
    return rest;
}

Result<std::string> name_argument(const CallArgs& args, std::size_t at, std::string_view what) {
    if (at < args.positional.size() && args.positional[at].is_string())
        return std::string(args.positional[at].text());
    return fail(ErrorCode::kInvalidArgument, "expected {} as a string", what);
}

Result<std::vector<Value>> map_by_attribute(Interpreter& interpreter,
                                            const Sequence& items,
                                            const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"map", {"attribute", "default"}, 1}));
    std::vector<Value> out;
    for (const Value& item : items.items) {
        NOTSO_CHECK(interpreter.spend());
        const Value* otherwise = bound.has(1) ? &bound[1] : nullptr;
        NOTSO_TRY(auto value, attribute_path(interpreter, item, bound[0], otherwise));
        out.push_back(std::move(value));
    }
    return out;
}

Result<std::vector<Value>> make_map(Interpreter& interpreter,
                                    const Value& value,
                                    const CallArgs& args) {
    if (!value.truthy()) return std::vector<Value>{};
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    if (args.positional.empty() && !args.named.empty())
        return map_by_attribute(interpreter, *items, args);
    NOTSO_TRY(const auto name, name_argument(args, 0, "the name of a filter"));
    const CallArgs rest = rest_of(args, 1);
    std::vector<Value> out;
    for (const Value& item : items->items) {
        NOTSO_TRY(auto mapped, interpreter.apply_filter(name, item, rest));
        out.push_back(std::move(mapped));
    }
    return out;
}

template <bool Wanted, bool ByAttribute>
Result<std::vector<Value>> make_selection(Interpreter& interpreter,
                                          const Value& value,
                                          const CallArgs& args) {
    if (!value.truthy()) return std::vector<Value>{};
    constexpr std::size_t kTestAt = ByAttribute ? 1 : 0;
    if (args.positional.size() < kTestAt)
        return fail(ErrorCode::kInvalidArgument, "the name of the attribute is missing");
    const bool tests = args.positional.size() > kTestAt;
    std::string test;
    if (tests) {
        NOTSO_TRY(test, name_argument(args, kTestAt, "the name of a test"));
    }
    const CallArgs rest = tests ? rest_of(args, kTestAt + 1) : CallArgs{};
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    std::vector<Value> out;
    for (const Value& item : items->items) {
        NOTSO_CHECK(interpreter.spend());
        Value subject = item;
        if constexpr (ByAttribute) {
            NOTSO_TRY(subject, attribute_path(interpreter, item, args.positional[0]));
        }
        bool holds = subject.truthy();
        if (tests) {
            NOTSO_TRY(holds, interpreter.apply_test(test, subject, rest));
        }
        if (holds == Wanted) out.push_back(item);
    }
    return out;
}

constexpr NamedFilter kSelectFilters[] = {
    {"map", generator<make_map>},
    {"select", generator<make_selection<true, false>>},
    {"reject", generator<make_selection<false, false>>},
    {"selectattr", generator<make_selection<true, true>>},
    {"rejectattr", generator<make_selection<false, true>>},
};

}  // namespace

std::span<const NamedFilter> select_filters() { return kSelectFilters; }

}  // namespace notso::services::jinja

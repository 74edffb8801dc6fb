// Methods of list, tuple and dict that change nothing.
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"

namespace notso::services::jinja {
namespace {

Result<Value> list_index(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"index", {"", "", ""}, 1}));
    const auto length = static_cast<std::int64_t>(self.items().size());
    NOTSO_TRY(std::int64_t start, bound.integer(1, 0));
    NOTSO_TRY(std::int64_t stop, bound.integer(2, length));
    if (start < 0) start = std::max<std::int64_t>(start + length, 0);
    if (stop < 0) stop += length;
    for (std::int64_t i = start; i < std::min(stop, length); ++i) {
        NOTSO_CHECK(interpreter.spend());
        if (equals(self.items()[static_cast<std::size_t>(i)], bound[0])) return Value::integer(i);
    }
    return fail(ErrorCode::kInvalidArgument, "index(): the value is not in the list");
}

Result<Value> list_count(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"count", {""}, 1}));
    std::int64_t found = 0;
    for (const Value& item : self.items()) {
        NOTSO_CHECK(interpreter.spend());
        if (equals(item, bound[0])) ++found;
    }
    return Value::integer(found);
}

Result<Value> list_copy(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"copy", {}}));
    return Value::list(self.items());
}

template <DictView::Kind Kind>
Result<Value> dict_view(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"dict method", {}}));
    return make_object<DictView>(self.dict_ref(), Kind);
}

Result<Value> dict_get(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"get", {"", ""}, 1}));
    if (!hash_of(bound[0])) {
        return fail(
            ErrorCode::kInvalidArgument, "a '{}' can't be the key of a dict", bound[0].type_name());
    }
    if (const Value* found = self.as_dict().find(bound[0])) return *found;
    return bound.has(1) ? bound[1] : Value::none();
}

Result<Value> dict_copy(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"copy", {}}));
    NOTSO_CHECK(interpreter.spend(static_cast<std::int64_t>(self.as_dict().size())));
    auto copy = std::make_shared<Dict>();
    for (const auto& [key, value] : self.as_dict().entries()) copy->set(key, value);
    return Value::dict(std::move(copy));
}

Result<Value> dict_fromkeys(Interpreter& interpreter, const Value&, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"fromkeys", {"", ""}, 1}));
    NOTSO_TRY(const auto keys, interpreter.iterate(bound[0]));
    auto dict = std::make_shared<Dict>();
    for (const Value& key : keys->items) {
        NOTSO_CHECK(interpreter.spend());
        if (!dict->set(key, bound.has(1) ? bound[1] : Value::none())) {
            return fail(
                ErrorCode::kInvalidArgument, "a '{}' can't be the key of a dict", key.type_name());
        }
    }
    return Value::dict(std::move(dict));
}

constexpr NamedFilter kListMethods[] = {
    {"index", list_index}, {"count", list_count}, {"copy", list_copy}};

constexpr NamedFilter kDictMethods[] = {
    {"get", dict_get},
    {"keys", dict_view<DictView::Kind::kKeys>},
    {"values", dict_view<DictView::Kind::kValues>},
    {"items", dict_view<DictView::Kind::kItems>},
    {"copy", dict_copy},
    {"fromkeys", dict_fromkeys},
};

}  // namespace

std::span<const NamedFilter> list_methods() { return kListMethods; }
std::span<const NamedFilter> dict_methods() { return kDictMethods; }

}  // namespace notso::services::jinja

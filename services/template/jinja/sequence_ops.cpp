// See sequence_ops.hpp.
#include "services/template/jinja/sequence_ops.hpp"

#include <charconv>

#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

Value path_key(std::string_view part) {
    std::int64_t index = 0;
    const char* end = part.data() + part.size();
    const bool digits =
        !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits && std::from_chars(part.data(), end, index).ptr == end) return Value::integer(index);
    return Value::string(std::string(part));
}

// A merge sort of our own: comparing may fail.
class Sorter {
  public:
    Sorter(Interpreter& interpreter, const std::vector<Value>& keys, bool descending)
        : interpreter_(interpreter), keys_(keys), descending_(descending), spare_(keys.size()) {}

    Result<void> sort(std::span<std::size_t> order) {
        if (order.size() < 2) return {};
        const std::size_t middle = order.size() / 2;
        NOTSO_CHECK(sort(order.first(middle)));
        NOTSO_CHECK(sort(order.subspan(middle)));
        std::size_t left = 0;
        std::size_t right = middle;
        for (std::size_t i = 0; i < order.size(); ++i) {
            bool take_right = left == middle;
            if (left < middle && right < order.size()) {
                NOTSO_TRY(take_right, goes_before(order[right], order[left]));
            }
            spare_[i] = order[take_right ? right++ : left++];
        }
        std::copy_n(spare_.begin(), order.size(), order.begin());
        return {};
    }

  private:
    Result<bool> goes_before(std::size_t right, std::size_t left) {
        NOTSO_CHECK(interpreter_.spend());
        return descending_ ? less_than(keys_[left], keys_[right])
                           : less_than(keys_[right], keys_[left]);
    }

    Interpreter& interpreter_;
    const std::vector<Value>& keys_;
    bool descending_;
    std::vector<std::size_t> spare_;
};

}  // namespace

Result<Value> attribute_path(Interpreter& interpreter,
                             Value value,
                             const Value& path,
                             const Value* otherwise) {
    if (path.is_none()) return value;
    std::vector<Value> keys;
    if (path.is_string()) {
        for (std::string_view rest = path.text();;) {
            const std::size_t dot = rest.find('.');
            keys.push_back(path_key(rest.substr(0, dot)));
            if (dot == std::string_view::npos) break;
            rest.remove_prefix(dot + 1);
        }
    } else {
        keys.push_back(path);
    }
    for (const Value& key : keys) {
        NOTSO_TRY(value, interpreter.item(value, key));
        if (value.is_undefined() && otherwise != nullptr && !otherwise->is_none())
            value = *otherwise;
    }
    return value;
}

Result<Items> map_attribute(Interpreter& interpreter, const Sequence& items, const Value& path) {
    std::vector<Value> out;
    out.reserve(items.items.size());
    for (const Value& item : items.items) {
        NOTSO_CHECK(interpreter.spend());
        NOTSO_TRY(auto value, attribute_path(interpreter, item, path));
        out.push_back(std::move(value));
    }
    return std::make_shared<const Sequence>(std::move(out), true);
}

Value fold_case(const Value& value) {
    return value.is_string() ? Value::string(unicode::lower(value.text())) : value;
}

Result<std::vector<std::size_t>> sorted_order(Interpreter& interpreter,
                                              const std::vector<Value>& keys,
                                              bool descending) {
    std::vector<std::size_t> order(keys.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    NOTSO_CHECK(Sorter(interpreter, keys, descending).sort(order));
    return order;
}

Result<std::int64_t> length_of(const Value& value) {
    switch (value.type()) {
        case Value::Type::kUndefined:
            return 0;
        case Value::Type::kString:
            return static_cast<std::int64_t>(value.as_string().length);
        case Value::Type::kSequence:
            return static_cast<std::int64_t>(value.items().size());
        case Value::Type::kDict:
            return static_cast<std::int64_t>(value.as_dict().size());
        case Value::Type::kObject:
            if (const auto length = value.as_object().length()) return *length;
            break;
        default:
            break;
    }
    return fail(ErrorCode::kInvalidArgument, "'{}' object has no length", value.type_name());
}

}  // namespace notso::services::jinja

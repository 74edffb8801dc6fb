// Behaviour of the built-in objects; see object.hpp.
#include "services/template/jinja/object.hpp"

#include "services/template/jinja/text.hpp"

namespace notso::services::jinja {

void Object::write_repr(TextBuilder& out) {
    out.add("<");
    out.add(type_name());
    out.add(" object>");
}

Result<Value> Object::call(Interpreter&, CallArgs) {
    return fail(ErrorCode::kInvalidArgument, "'{}' object can't be called", type_name());
}

void Namespace::write_repr(TextBuilder& out) {
    out.add("<Namespace ");
    write_dict_repr(out, attributes_);
    out.add(">");
}

std::optional<Value> Namespace::attribute(Interpreter&, std::string_view name) {
    const Value* found = attributes_.find(name);
    return found != nullptr ? std::optional(*found) : std::nullopt;
}

Generator::Generator(std::vector<Value> items, std::string_view type)
    : type_(type), items_(std::make_shared<const Sequence>(std::move(items), true)) {}

Result<void> Generator::fill() {
    if (items_ != nullptr) return {};
    items_ = std::make_shared<const Sequence>(std::vector<Value>{}, true);
    NOTSO_TRY(auto items, std::exchange(make_, nullptr)());
    items_ = std::make_shared<const Sequence>(std::move(items), true);
    return {};
}

Result<Items> Generator::iterate() {
    NOTSO_CHECK(fill());
    const std::size_t from = std::exchange(next_, items_->items.size());
    if (from == 0) return items_;
    const auto begin = items_->items.begin() + static_cast<std::ptrdiff_t>(from);
    return std::make_shared<const Sequence>(std::vector<Value>(begin, items_->items.end()), true);
}

Result<std::optional<Value>> Generator::next() {
    NOTSO_CHECK(fill());
    if (next_ >= items_->items.size()) return std::nullopt;
    return items_->items[next_++];
}

std::string_view DictView::type_name() const {
    switch (kind_) {
        case Kind::kKeys:
            return "dict_keys";
        case Kind::kValues:
            return "dict_values";
        case Kind::kItems:
            break;
    }
    return "dict_items";
}

void DictView::write_repr(TextBuilder& out) {
    out.add(type_name());
    out.add("([");
    write_items_repr(out, items()->items);
    out.add("])");
}

Items DictView::items() const {
    std::vector<Value> made;
    made.reserve(dict_->size());
    for (const auto& [key, value] : dict_->entries()) {
        if (kind_ == Kind::kItems) {
            made.push_back(Value::tuple({key, value}));
        } else {
            made.push_back(kind_ == Kind::kKeys ? key : value);
        }
    }
    return std::make_shared<const Sequence>(std::move(made), true);
}

std::int64_t Range::count() const {
    if (step_ > 0) return start_ < stop_ ? (stop_ - start_ - 1) / step_ + 1 : 0;
    return start_ > stop_ ? (start_ - stop_ - 1) / -step_ + 1 : 0;
}

bool Range::equal_to(const Object& other) const {
    const auto* range = dynamic_cast<const Range*>(&other);
    if (range == nullptr || range->count() != count()) return false;
    if (count() == 0) return true;
    return range->start_ == start_ && (count() == 1 || range->step_ == step_);
}

void Range::write_repr(TextBuilder& out) {
    out.add(step_ == 1 ? fmt::format("range({}, {})", start_, stop_)
                       : fmt::format("range({}, {}, {})", start_, stop_, step_));
}

std::optional<Value> Range::attribute(Interpreter&, std::string_view name) {
    if (name == "start") return Value::integer(start_);
    if (name == "stop") return Value::integer(stop_);
    if (name == "step") return Value::integer(step_);
    return std::nullopt;
}

std::optional<Value> Range::item(const Value& key) {
    if (!key.is_integral()) return std::nullopt;
    const std::int64_t index = key.as_int() < 0 ? key.as_int() + count() : key.as_int();
    if (index < 0 || index >= count()) return std::nullopt;
    return Value::integer(start_ + index * step_);
}

Result<Items> Range::iterate() {
    std::vector<Value> made;
    made.reserve(static_cast<std::size_t>(count()));
    for (std::int64_t i = 0; i < count(); ++i) made.push_back(Value::integer(start_ + i * step_));
    return std::make_shared<const Sequence>(std::move(made), true);
}

void Function::write_repr(TextBuilder& out) {
    out.add("<function ");
    out.add(name_);
    out.add(">");
}

}  // namespace notso::services::jinja

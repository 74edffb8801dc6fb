// Construction, type queries and Python's truth of values; see value.hpp.
#include "services/template/jinja/value.hpp"

#include <algorithm>

#include "services/template/jinja/object.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {

thread_local MemoryMeter* MemoryMeter::current_ = nullptr;

Metered::Metered(std::size_t bytes) noexcept
    : meter_(MemoryMeter::current()), bytes_(static_cast<std::int64_t>(bytes)) {
    if (meter_ != nullptr) meter_->add(bytes_);
}

Metered::~Metered() {
    if (meter_ != nullptr) meter_->add(-bytes_);
}

void Metered::meter_more(std::size_t bytes) noexcept {
    bytes_ += static_cast<std::int64_t>(bytes);
    if (meter_ != nullptr) meter_->add(static_cast<std::int64_t>(bytes));
}

String::String(std::string value, bool is_safe)
    : Metered(sizeof(*this) + value.size()),
      text(std::move(value)),
      length(unicode::count_code_points(text)),
      safe(is_safe) {}

Sequence::Sequence(std::vector<Value> values, bool as_list)
    : Metered(sizeof(*this) + values.size() * sizeof(Value)),
      items(std::move(values)),
      depth(1),
      is_list(as_list) {
    for (const Value& item : items) depth = std::max(depth, item.depth() + 1);
}

Value Value::group(Value key, Value items) {
    std::vector<Value> pair{std::move(key), std::move(items)};
    auto made = std::make_shared<Sequence>(std::move(pair), false);
    made->is_group = true;
    return Value(Data(std::shared_ptr<const Sequence>(std::move(made))));
}

bool Value::is_group() const { return is_sequence() && sequence().is_group; }

Value Value::undefined(std::string message) {
    return Value(Data(std::make_shared<const UndefinedInfo>(std::move(message))));
}

Value Value::string(std::string text) {
    return Value(Data(std::make_shared<const String>(std::move(text), false)));
}

Value Value::markup(std::string text) {
    return Value(Data(std::make_shared<const String>(std::move(text), true)));
}

Value Value::list(std::vector<Value> items) {
    return Value(Data(std::make_shared<const Sequence>(std::move(items), true)));
}

Value Value::tuple(std::vector<Value> items) {
    return Value(Data(std::make_shared<const Sequence>(std::move(items), false)));
}

bool Value::is_markup() const noexcept { return is_string() && as_string().safe; }

bool Value::is_list() const noexcept { return is_sequence() && sequence().is_list; }

std::int64_t Value::as_int() const {
    return is_bool() ? (as_bool() ? 1 : 0) : std::get<std::int64_t>(data_);
}

double Value::as_double() const {
    return is_float() ? std::get<double>(data_) : static_cast<double>(as_int());
}

std::string_view Value::text() const { return as_string().text; }

const std::vector<Value>& Value::items() const { return sequence().items; }

std::string Value::undefined_message() const {
    const auto& info = std::get<std::shared_ptr<const UndefinedInfo>>(data_);
    return info != nullptr ? info->message : std::string("the value is undefined");
}

bool Value::truthy() const {
    switch (type()) {
        case Type::kUndefined:
        case Type::kNone:
            return false;
        case Type::kBool:
            return as_bool();
        case Type::kInt:
            return as_int() != 0;
        case Type::kFloat:
            return as_double() != 0.0;
        case Type::kString:
            return !text().empty();
        case Type::kSequence:
            return !items().empty();
        case Type::kDict:
            return as_dict().size() != 0;
        case Type::kObject:
            return as_object().truthy();
    }
    return false;
}

std::string_view Value::type_name() const {
    switch (type()) {
        case Type::kUndefined:
            return "Undefined";
        case Type::kNone:
            return "NoneType";
        case Type::kBool:
            return "bool";
        case Type::kInt:
            return "int";
        case Type::kFloat:
            return "float";
        case Type::kString:
            return is_markup() ? "Markup" : "str";
        case Type::kSequence:
            return is_list() ? "list" : "tuple";
        case Type::kDict:
            return "dict";
        case Type::kObject:
            return as_object().type_name();
    }
    return "object";
}

int Value::depth() const noexcept {
    if (is_sequence()) return sequence().depth;
    if (is_dict()) return as_dict().depth();
    return is_object() ? as_object().depth() : 0;
}

bool Value::same_as(const Value& other) const {
    if (type() != other.type()) return false;
    switch (type()) {
        case Type::kSequence:
            return sequence_ref() == other.sequence_ref();
        case Type::kDict:
            return dict_ref() == other.dict_ref();
        case Type::kObject:
            return &as_object() == &other.as_object();
        case Type::kUndefined:  // each look-up makes another one
            return data_.index() == 0 && std::get<0>(data_) != nullptr &&
                   std::get<0>(data_) == std::get<0>(other.data_);
        default:
            return equals(*this, other);
    }
}

}  // namespace notso::services::jinja

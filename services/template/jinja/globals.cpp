// Global functions: range, dict, namespace, raise_exception, strftime_now, cycler, joiner.
#include <map>

#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/runtime_objects.hpp"
#include "services/template/jinja/strftime.hpp"

namespace notso::services::jinja {
namespace {

Result<Value> make_range(Interpreter& interpreter, CallArgs args) {
    std::vector<std::int64_t> bounds;
    for (const Value& value : args.positional) {
        if (value.is_undefined())
            return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
        if (!value.is_integral()) {
            return fail(
                ErrorCode::kInvalidArgument, "range() takes integers, not '{}'", value.type_name());
        }
        bounds.push_back(value.as_int());
    }
    if (bounds.empty() || bounds.size() > 3 || !args.named.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "range() takes a stop, or a start, a stop and a step");
    }
    const std::int64_t start = bounds.size() > 1 ? bounds[0] : 0;
    const std::int64_t stop = bounds.size() > 1 ? bounds[1] : bounds[0];
    const std::int64_t step = bounds.size() > 2 ? bounds[2] : 1;
    if (step == 0) return fail(ErrorCode::kInvalidArgument, "the step of range() can't be zero");
    const double items =
        (static_cast<double>(stop) - static_cast<double>(start)) / static_cast<double>(step);
    if (items > static_cast<double>(interpreter.limits().max_range)) {
        return fail(ErrorCode::kTooLarge,
                    "range() makes more than {} numbers",
                    interpreter.limits().max_range);
    }
    return make_object<Range>(start, stop, step);
}

// dict(): from a mapping or pairs, and named arguments.
Result<void> fill_dict(Interpreter& interpreter, const CallArgs& args, Dict& out) {
    if (args.positional.size() > 1)
        return fail(ErrorCode::kInvalidArgument, "dict() takes one mapping or list of pairs");
    if (!args.positional.empty() && args.positional[0].is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", args.positional[0].undefined_message());
    if (args.positional.size() == 1 && args.positional[0].is_dict()) {
        for (const auto& [key, value] : args.positional[0].as_dict().entries()) {
            NOTSO_CHECK(interpreter.spend());
            out.set(key, value);
        }
    } else if (args.positional.size() == 1) {
        NOTSO_TRY(const auto pairs, interpreter.iterate(args.positional[0]));
        for (const Value& pair : pairs->items) {
            NOTSO_TRY(const auto parts, interpreter.iterate(pair));
            if (parts->items.size() != 2 || !out.set(parts->items[0], parts->items[1])) {
                return fail(ErrorCode::kInvalidArgument, "dict() takes pairs of a key and a value");
            }
        }
    }
    for (const auto& [name, value] : args.named) out.set(name, value);
    return {};
}

Result<Value> make_dict(Interpreter& interpreter, CallArgs args) {
    auto dict = std::make_shared<Dict>();
    NOTSO_CHECK(fill_dict(interpreter, args, *dict));
    return Value::dict(std::move(dict));
}

Result<Value> make_namespace(Interpreter& interpreter, CallArgs args) {
    auto& space = interpreter.own<Namespace>();
    NOTSO_CHECK(fill_dict(interpreter, args, space.attributes()));
    return Interpreter::refer(space);
}

Result<Value> raise_exception(Interpreter& interpreter, CallArgs args) {
    NOTSO_TRY(const auto bound, bind(args, {"raise_exception", {"message"}, 1}));
    NOTSO_TRY(const auto message, interpreter.text_of(bound[0]));
    return fail(ErrorCode::kInvalidArgument, "{}", message);
}

Result<Value> strftime_now(Interpreter& interpreter, CallArgs args) {
    NOTSO_TRY(const auto bound, bind(args, {"strftime_now", {"format"}, 1}));
    NOTSO_TRY(const auto format, bound.text(0, ""));
    NOTSO_TRY(const CivilTime now, current_time(interpreter.input().now));
    NOTSO_TRY(auto text, format_time(now, format));
    return Value::string(std::move(text));
}

/// cycler(): gives its items in turn.
class Cycler final : public Object {
  public:
    explicit Cycler(std::vector<Value> items)
        : Object(sizeof(*this) + items.size() * sizeof(Value)), items_(std::move(items)) {}
    std::string_view type_name() const override { return "Cycler"; }
    std::optional<Value> attribute(Interpreter&, std::string_view name) override {
        if (name == "current") return items_[at_];
        if (name != "next" && name != "reset") return std::nullopt;
        const bool next = name == "next";
        auto self = std::shared_ptr<Cycler>(std::shared_ptr<void>(), this);
        return make_object<Function>(
            std::string(name), [self, next](Interpreter&, CallArgs) -> Result<Value> {
                Value now = self->items_[self->at_];
                self->at_ = next ? (self->at_ + 1) % self->items_.size() : 0;
                return next ? now : Value::none();
            });
    }

  private:
    std::vector<Value> items_;
    std::size_t at_ = 0;
};

Result<Value> make_cycler(Interpreter& interpreter, CallArgs args) {
    if (args.positional.empty())
        return fail(ErrorCode::kInvalidArgument, "cycler() needs something to cycle");
    return Interpreter::refer(interpreter.own<Cycler>(std::move(args.positional)));
}

Result<Value> make_joiner(Interpreter& interpreter, CallArgs args) {
    NOTSO_TRY(const auto bound, bind(args, {"joiner", {"sep"}}));
    NOTSO_TRY(const auto separator, bound.text(0, ", "));
    auto used = std::make_shared<bool>(false);
    static_cast<void>(interpreter);
    return make_object<Function>(
        "joiner", [separator, used](Interpreter&, CallArgs) -> Result<Value> {
            return Value::string(std::exchange(*used, true) ? separator : std::string());
        });
}

std::map<std::string_view, Value> make_globals() {
    const MemoryMeter::Paused paused;  // they outlive the rendering that asks first
    std::map<std::string_view, Value> globals;
    const auto add = [&](std::string_view name, Function::Body body) {
        globals.emplace(name, make_object<Function>(std::string(name), std::move(body)));
    };
    add("range", make_range);
    add("dict", make_dict);
    add("namespace", make_namespace);
    add("raise_exception", raise_exception);
    add("strftime_now", strftime_now);
    add("cycler", make_cycler);
    add("joiner", make_joiner);
    return globals;
}

}  // namespace

const Value* find_global(std::string_view name) {
    static const auto globals = make_globals();
    const auto found = globals.find(name);
    return found != globals.end() ? &found->second : nullptr;
}

}  // namespace notso::services::jinja

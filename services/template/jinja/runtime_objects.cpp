// Macros, loops, blocks and modules; see runtime_objects.hpp.
#include "services/template/jinja/runtime_objects.hpp"

namespace notso::services::jinja {

void Macro::write_repr(TextBuilder& out) {
    out.add("<Macro ");
    if (definition.name.empty()) {
        out.add("anonymous");
    } else {
        write_string_repr(out, definition.name);
    }
    out.add(">");
}

std::optional<Value> Macro::attribute(Interpreter&, std::string_view name) {
    if (name == "name")
        return definition.name.empty() ? Value::none() : Value::string(definition.name);
    if (name == "caller") return Value::boolean(definition.uses_caller);
    if (name == "catch_kwargs") return Value::boolean(definition.uses_kwargs);
    if (name == "catch_varargs") return Value::boolean(definition.uses_varargs);
    if (name != "arguments") return std::nullopt;
    std::vector<Value> names;
    for (const auto& parameter : definition.parameters) names.push_back(Value::string(parameter));
    return Value::tuple(std::move(names));
}

namespace {

// The values of a target's names, as tuples.
Value retupled(const Target& target, const Frame& frame) {
    if (!target.is_tuple) {
        const Value* found = frame.find(target.name);
        return found != nullptr ? *found : Value();
    }
    std::vector<Value> items;
    for (const Target& item : target.items) items.push_back(retupled(item, frame));
    return Value::tuple(std::move(items));
}

}  // namespace

Result<void> LoopSource::start(const Value& iterable) {
    filtering_ = loop_.condition != nullptr;
    sized_ = !filtering_ && !(iterable.is_object() && !iterable.as_object().length());
    NOTSO_TRY(items_, interpreter_.iterate(iterable));
    return {};
}

Result<std::optional<Value>> LoopSource::pull() {
    while (at_ < items_->items.size()) {
        NOTSO_CHECK(interpreter_.spend());
        const Value& item = items_->items[at_++];
        if (!filtering_) return item;
        const FrameScope scope(frames_, &outer_, outer_.context);
        NOTSO_CHECK(interpreter_.assign(loop_.target, item, *scope));
        NOTSO_TRY(const auto wanted, interpreter_.eval(*loop_.condition, *scope));
        if (!wanted.truthy()) continue;
        // Python's loop filter passes on what was unpacked, as tuples.
        return loop_.target.is_tuple ? retupled(loop_.target, *scope) : item;
    }
    return std::nullopt;
}

Result<std::optional<Value>> LoopSource::next() {
    if (!ahead_) return pull();
    auto item = *std::move(ahead_);
    ahead_.reset();
    return item;
}

Result<std::optional<Value>> LoopSource::peek() {
    if (!ahead_) {
        NOTSO_TRY(ahead_, pull());
    }
    return *ahead_;
}

Result<std::int64_t> LoopSource::length(std::int64_t taken) {
    if (sized_) return static_cast<std::int64_t>(items_->items.size());
    std::vector<Value> rest;
    while (true) {
        NOTSO_TRY(auto item, next());
        if (!item) break;
        rest.push_back(*std::move(item));
    }
    const auto total = taken + static_cast<std::int64_t>(rest.size());
    std::vector<Value> all(static_cast<std::size_t>(taken));
    all.insert(all.end(), rest.begin(), rest.end());
    items_ = std::make_shared<const Sequence>(std::move(all), true);
    at_ = static_cast<std::size_t>(taken);
    sized_ = true;
    filtering_ = false;
    return total;
}

void Loop::write_repr(TextBuilder& out) {
    out.add(fmt::format("<LoopContext {}/{}>", index_ + 1, count_items()));
}

void Loop::advance(Value item) {
    previous_ = std::exchange(current_, std::move(item));
    ++index_;
}

Result<void> Loop::take_error() {
    if (!error_) return {};
    return std::unexpected(*error_);
}

std::int64_t Loop::count_items() {
    if (source_ == nullptr) return 0;
    auto length = source_->length(index_ + 1);
    if (!length) error_ = std::move(length).error();
    return length.value_or(0);
}

std::optional<Value> Loop::attribute(Interpreter&, std::string_view name) {
    if (auto number = number_attribute(name)) return number;
    return item_attribute(name);
}

std::optional<Value> Loop::number_attribute(std::string_view name) {
    if (name == "index") return Value::integer(index_ + 1);
    if (name == "index0") return Value::integer(index_);
    if (name == "first") return Value::boolean(index_ == 0);
    if (name == "depth") return Value::integer(depth_ + 1);
    if (name == "depth0") return Value::integer(depth_);
    if (name == "length") return Value::integer(count_items());
    if (name == "revindex") return Value::integer(count_items() - index_);
    if (name == "revindex0") return Value::integer(count_items() - index_ - 1);
    return std::nullopt;
}

std::optional<Value> Loop::item_attribute(std::string_view name) {
    if (name == "previtem")
        return index_ == 0 ? Value::undefined("there is no previous item") : previous_;
    if (name == "cycle" || name == "changed") return method(name);
    if (name != "last" && name != "nextitem") return std::nullopt;
    auto ahead = source_ != nullptr ? source_->peek() : std::optional<Value>();
    if (!ahead) error_ = std::move(ahead).error();
    const bool last = !ahead || !ahead->has_value();
    if (name == "last") return Value::boolean(last);
    return last ? Value::undefined("there is no next item") : **ahead;
}

Value Loop::method(std::string_view name) {
    auto self = std::shared_ptr<Loop>(std::shared_ptr<void>(), this);
    if (name == "cycle") {
        return make_object<Function>(
            "cycle", [self](Interpreter&, CallArgs args) { return self->cycle(args); });
    }
    return make_object<Function>(
        "changed", [self](Interpreter&, CallArgs args) { return self->changed(args); });
}

Result<Value> Loop::cycle(const CallArgs& args) const {
    if (args.positional.empty())
        return fail(ErrorCode::kInvalidArgument, "loop.cycle() needs something to cycle");
    return args.positional[static_cast<std::size_t>(index_) % args.positional.size()];
}

Result<Value> Loop::changed(const CallArgs& args) {
    Value now = Value::tuple(args.positional);
    const bool same = last_changed_ && equals(*last_changed_, now);
    if (!same) last_changed_ = std::move(now);
    return Value::boolean(!same);
}

Result<Value> Loop::call(Interpreter& interpreter, CallArgs args) {
    if (!statement_.recursive) {
        return fail(ErrorCode::kInvalidArgument, "loop() needs a loop that is marked 'recursive'");
    }
    if (args.positional.size() != 1)
        return fail(ErrorCode::kInvalidArgument, "loop() takes one argument");
    return interpreter.run_recursive_loop(statement_, frame_, args.positional[0], depth_ + 1);
}

Value block_reference(Context& context, std::string_view name, std::size_t depth, Frame& outer) {
    const auto found = context.blocks.find(name);
    if (found != context.blocks.end() && depth < found->second.size()) {
        return make_object<BlockReference>(context, std::string(name), depth, outer);
    }
    return Value::undefined(fmt::format("there is no parent block called '{}'", name));
}

std::optional<Value> BlockReference::attribute(Interpreter&, std::string_view name) {
    if (name != "super") return std::nullopt;
    return block_reference(context_, name_, depth_ + 1, outer_);
}

std::optional<Value> SelfReference::item(const Value& key) {
    if (!key.is_string() || !context_.blocks.contains(key.text())) return std::nullopt;
    return block_reference(context_, key.text(), 0, context_.exported);
}

std::optional<Value> Module::attribute(Interpreter&, std::string_view name) {
    const auto& hidden = context_.imported;
    if (std::find(hidden.begin(), hidden.end(), name) != hidden.end()) return std::nullopt;
    const Value* found = context_.exported.find(name);
    return found != nullptr ? std::optional(*found) : std::nullopt;
}

}  // namespace notso::services::jinja

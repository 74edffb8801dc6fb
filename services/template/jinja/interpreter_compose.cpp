// Macros, blocks, inheritance, includes and imports; see interpreter.hpp.
#include "services/template/jinja/capture.hpp"
#include "services/template/jinja/interpreter.hpp"
#include "services/template/jinja/runtime_objects.hpp"

namespace notso::services::jinja {

Value Interpreter::make_macro(const MacroStmt& node, Frame& frame) {
    FramePool::capture(&frame);
    return make_object<Macro>(node, frame, *current_);
}

Result<Interpreter::Flow> Interpreter::exec_node(const MacroStmt& node, Frame& frame) {
    frame.set(node.name, make_macro(node, frame));
    return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::exec_node(const CallBlockStmt& node, Frame& frame) {
    if (suppressed_) return Flow::kNext;
    const auto& call_expr = std::get<CallExpr>(node.call->node);
    NOTSO_TRY(const auto callee, eval(*call_expr.callee, frame));
    NOTSO_TRY(auto args, eval_arguments(call_expr.arguments, frame));
    // Behind the names that are written out, before those of **.
    const auto written = static_cast<std::ptrdiff_t>(call_expr.arguments.named.size());
    args.named.emplace(args.named.begin() + written, "caller", make_macro(*node.caller, frame));
    NOTSO_TRY(const auto value, call(callee, std::move(args)));
    NOTSO_CHECK(print(value));
    return Flow::kNext;
}

namespace {

// Takes a named argument out of the list.
std::optional<Value> take_named(CallArgs& args, std::string_view name) {
    for (auto it = args.named.begin(); it != args.named.end(); ++it) {
        if (it->first != name) continue;
        Value value = std::move(it->second);
        args.named.erase(it);
        return value;
    }
    return std::nullopt;
}

Value rest_of_named(CallArgs& args) {
    auto dict = std::make_shared<Dict>();
    for (auto& [name, value] : args.named) dict->set(name, std::move(value));
    args.named.clear();
    return Value::dict(std::move(dict));
}

}  // namespace

Result<void> Interpreter::bind_parameters(const Macro& macro, CallArgs& args, Frame& frame) {
    const MacroStmt& definition = macro.definition;
    const std::size_t count = definition.parameters.size();
    const std::size_t first_default = count - definition.defaults.size();
    const bool has_caller_parameter =
        std::find(definition.parameters.begin(), definition.parameters.end(), "caller") !=
        definition.parameters.end();
    if (definition.uses_caller && !has_caller_parameter) {
        const auto caller = take_named(args, "caller");
        frame.set(
            "caller",
            caller && !caller->is_none() ? *caller : Value::undefined("no caller is defined"));
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& name = definition.parameters[i];
        if (i < args.positional.size()) {
            frame.set(name, args.positional[i]);
        } else if (auto named = take_named(args, name)) {
            frame.set(name, *std::move(named));
        } else if (i >= first_default) {
            NOTSO_TRY(auto value, eval(*definition.defaults[i - first_default], frame));
            frame.set(name, std::move(value));
        } else {
            frame.set(name, Value::undefined(fmt::format("parameter '{}' was not provided", name)));
        }
    }
    if (definition.uses_kwargs) frame.set("kwargs", rest_of_named(args));
    if (!args.named.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "macro '{}' takes no argument '{}' here",
                    definition.name,
                    args.named.front().first);
    }
    if (args.positional.size() > count && !definition.uses_varargs) {
        return fail(ErrorCode::kInvalidArgument,
                    "macro '{}' takes at most {} arguments",
                    definition.name,
                    count);
    }
    if (definition.uses_varargs) {
        const auto from = args.positional.begin() +
                          static_cast<std::ptrdiff_t>(std::min(count, args.positional.size()));
        frame.set("varargs", Value::tuple(std::vector<Value>(from, args.positional.end())));
    }
    return {};
}

Result<Value> Interpreter::call_macro(const Macro& macro, CallArgs args) {
    const CallDepth depth(*this);
    NOTSO_CHECK(depth.check());
    const CurrentTemplate current(*this, macro.owner);
    const FrameScope frame(frames_, &macro.closure, macro.closure.context);
    NOTSO_TRY(auto text, capture([&]() -> Result<void> {
                  NOTSO_CHECK(bind_parameters(macro, args, *frame));
                  NOTSO_TRY(const Flow flow, exec_body(macro.definition.body, *frame));
                  static_cast<void>(flow);
                  return {};
              }));
    return captured_value(std::move(text));
}

Context* Interpreter::new_context(const TemplateImpl& source, Frame* outer) {
    Context* context = frames_.make_context();
    context->owner = &source;
    context->exported.context = context;
    context->exported.parent = outer;
    for (const auto& [name, block] : source.parsed().blocks)
        context->blocks[name].push_back({block, &source});
    return context;
}

// Runs the top level of a template, then of the template it extends, and so on up to the base.
Result<void> Interpreter::run_template(const TemplateImpl& source, Context& context) {
    const Restored shown(suppressed_, suppressed_);
    const TemplateImpl* running = &source;
    int extended = 0;
    while (true) {
        const CurrentTemplate current(*this, *running);
        NOTSO_TRY(const Flow flow, exec_body(running->parsed().body, context.exported));
        static_cast<void>(flow);
        if (context.parent == nullptr) return {};
        if (++extended > limits_.max_calls)
            return fail(ErrorCode::kTooLarge, "templates extend each other in a circle");
        running = std::exchange(context.parent, nullptr).get();
        suppressed_ = false;
    }
}

Value Interpreter::make_self(Context& context) { return make_object<SelfReference>(context); }

Result<Value> Interpreter::render_block(Context& context,
                                        std::string_view name,
                                        std::size_t depth,
                                        Frame& outer) {
    NOTSO_TRY(auto text, capture([&] { return run_block(context, name, depth, outer); }));
    return captured_value(std::move(text));
}

Result<void> Interpreter::run_block(Context& context,
                                    std::string_view name,
                                    std::size_t depth,
                                    Frame& outer) {
    const CallDepth call(*this);
    NOTSO_CHECK(call.check());
    const BlockEntry entry = context.blocks.at(name).at(depth);
    const CurrentTemplate current(*this, *entry.owner);
    const FrameScope frame(frames_, &outer, &context);
    frame->set("super", block_reference(context, name, depth + 1, outer));
    NOTSO_TRY(const Flow flow, exec_body(entry.block->body, *frame));
    static_cast<void>(flow);
    return {};
}

Result<Interpreter::Flow> Interpreter::exec_node(const BlockStmt& node, Frame& frame) {
    if (suppressed_) return Flow::kNext;
    Context& context = *frame.context;
    if (node.required && context.blocks.at(node.name).size() < 2) {
        return fail(ErrorCode::kInvalidArgument, "the required block '{}' is not there", node.name);
    }
    NOTSO_CHECK(run_block(context, node.name, 0, node.scoped ? frame : context.exported));
    return Flow::kNext;
}

Result<std::shared_ptr<const TemplateImpl>> Interpreter::load(const Value& name) {
    if (name.is_sequence()) {
        for (const Value& candidate : name.items()) {
            NOTSO_TRY(auto found, load(candidate));
            if (found != nullptr) return found;
        }
        return nullptr;
    }
    if (name.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", name.undefined_message());
    if (!name.is_string()) {
        return fail(ErrorCode::kInvalidArgument,
                    "a template's name is a string, not '{}'",
                    name.type_name());
    }
    if (!root_.options().loader) {
        return fail(ErrorCode::kInvalidArgument,
                    "this template can't load others, such as '{}'",
                    name.text().substr(0, 64));
    }
    auto loaded = root_.load(std::string(name.text()));
    if (!loaded) {
        error_located_ = true;  // it names its own place
        return std::unexpected(std::move(loaded).error());
    }
    if (*loaded != nullptr) loaded_.push_back(*loaded);
    return loaded;
}

Result<std::shared_ptr<const TemplateImpl>> Interpreter::load_required(const Value& name) {
    NOTSO_TRY(auto loaded, load(name));
    if (loaded == nullptr)
        return fail(ErrorCode::kInvalidArgument, "there is no template {}", short_str(name));
    return loaded;
}

Result<Interpreter::Flow> Interpreter::exec_node(const ExtendsStmt& node, Frame& frame) {
    Context& context = *frame.context;
    if (&frame != &context.exported) {
        return fail(ErrorCode::kInvalidArgument, "extends stands at the top level of a template");
    }
    if (context.parent != nullptr)
        return fail(ErrorCode::kInvalidArgument, "a template extends only one other");
    NOTSO_TRY(const auto name, eval(*node.parent, frame));
    NOTSO_TRY(context.parent, load_required(name));
    for (const auto& [block_name, block] : context.parent->parsed().blocks) {
        context.blocks[block_name].push_back({block, context.parent.get()});
    }
    suppressed_ = true;
    return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::exec_node(const IncludeStmt& node, Frame& frame) {
    if (suppressed_) return Flow::kNext;
    const CallDepth call(*this);
    NOTSO_CHECK(call.check());
    NOTSO_TRY(const auto name, eval(*node.source, frame));
    NOTSO_TRY(const auto loaded, load(name));
    if (loaded == nullptr && node.ignore_missing) return Flow::kNext;
    if (loaded == nullptr)
        return fail(ErrorCode::kInvalidArgument, "there is no template {}", short_str(name));
    Context* context = new_context(*loaded, node.with_context ? &frame : nullptr);
    NOTSO_CHECK(run_template(*loaded, *context));
    return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::exec_node(const ImportStmt& node, Frame& frame) {
    const CallDepth call(*this);
    NOTSO_CHECK(call.check());
    NOTSO_TRY(const auto name, eval(*node.source, frame));
    NOTSO_TRY(const auto loaded, load_required(name));
    if (node.with_context) FramePool::capture(&frame);
    Context* context = new_context(*loaded, node.with_context ? &frame : nullptr);
    NOTSO_TRY(auto text, capture([&] { return run_template(*loaded, *context); }));
    const Value module = make_object<Module>(*context, std::move(text));
    if (!node.target.empty()) {
        frame.set(node.target, module);
        if (&frame == &frame.context->exported) frame.context->imported.push_back(node.target);
        return Flow::kNext;
    }
    NOTSO_CHECK(import_names(node, frame, module, short_str(name)));
    return Flow::kNext;
}

Result<void> Interpreter::import_names(const ImportStmt& node,
                                       Frame& frame,
                                       const Value& module,
                                       const std::string& from) {
    for (const auto& [name, alias] : node.names) {
        auto found = module.as_object().attribute(*this, name);
        frame.set(
            alias,
            found ? *std::move(found)
                  : Value::undefined(fmt::format("the template '{}' exports no '{}'", from, name)));
        if (&frame == &frame.context->exported) frame.context->imported.push_back(alias);
    }
    return {};
}

}  // namespace notso::services::jinja

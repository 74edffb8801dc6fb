// Execution of statements within one template; see interpreter.hpp.
#include "services/template/jinja/capture.hpp"
#include "services/template/jinja/interpreter.hpp"
#include "services/template/jinja/parser.hpp"
#include "services/template/jinja/runtime_objects.hpp"

namespace notso::services::jinja {

Result<Interpreter::Flow> Interpreter::exec_body(const Body& body, Frame& frame) {
    for (const Stmt& stmt : body) {
        NOTSO_TRY(const Flow flow, exec(stmt, frame));
        if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::exec(const Stmt& stmt, Frame& frame) {
    auto ready = spend();
    if (ready) ready = check_stack();
    if (!ready) return located(std::move(ready).error(), stmt.at);
    auto flow = std::visit([&](const auto& node) { return exec_node(node, frame); }, stmt.node);
    if (!flow) return located(std::move(flow).error(), stmt.at);
    return flow;
}

Result<void> Interpreter::write(std::string_view text) {
    if (suppressed_) return {};
    out_->add(text);
    if (!out_->full()) return {};
    return fail(ErrorCode::kTooLarge, "the output grows over {} bytes", limits_.max_output_bytes);
}

Result<void> Interpreter::print(const Value& value) {
    if (suppressed_) return {};
    if (value.is_string() && (!auto_escape_ || value.is_markup())) return write(value.text());
    if (auto_escape_) {
        NOTSO_TRY(const auto text, escaped(value));
        return write(text);
    }
    write_str(*out_, value);
    return write({});
}

Result<Interpreter::Flow> Interpreter::exec_node(const TextStmt& node, Frame&) {
    NOTSO_CHECK(write(node.text));
    return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::exec_node(const PrintStmt& node, Frame& frame) {
    if (suppressed_) return Flow::kNext;
    for (const auto& expr : node.values) {
        NOTSO_TRY(const auto value, eval(*expr, frame));
        NOTSO_CHECK(print(value));
    }
    return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::exec_node(const IfStmt& node, Frame& frame) {
    for (const auto& [condition, body] : node.branches) {
        NOTSO_TRY(const auto value, eval(*condition, frame));
        if (value.truthy()) return exec_body(body, frame);
    }
    return exec_body(node.otherwise, frame);
}

Result<void> Interpreter::assign(const Target& target, const Value& value, Frame& frame) {
    if (target.is_tuple) {
        NOTSO_TRY(const auto items, iterate(value));
        if (items->items.size() != target.items.size()) {
            return fail(ErrorCode::kInvalidArgument,
                        "can't unpack {} values into {} names",
                        items->items.size(),
                        target.items.size());
        }
        for (std::size_t i = 0; i < target.items.size(); ++i) {
            NOTSO_CHECK(assign(target.items[i], items->items[i], frame));
        }
        return {};
    }
    if (target.attribute.empty()) {
        frame.set(target.name, value);
        return {};
    }
    auto* space = look_up(target.name, frame).as<Namespace>();
    if (space == nullptr) {
        return fail(ErrorCode::kInvalidArgument,
                    "'{}' is no namespace: only attributes of a namespace() can be set",
                    target.name);
    }
    space->attributes().set(target.attribute, value);
    return {};
}

Result<Interpreter::Flow> Interpreter::exec_node(const SetStmt& node, Frame& frame) {
    NOTSO_TRY(const auto value, eval(*node.value, frame));
    NOTSO_CHECK(assign(node.target, value, frame));
    return Flow::kNext;
}

Value Interpreter::captured_value(std::string text) const {
    return auto_escape_ ? Value::markup(std::move(text)) : Value::string(std::move(text));
}

Result<Interpreter::Flow> Interpreter::exec_node(const SetBlockStmt& node, Frame& frame) {
    const FrameScope scope(frames_, &frame, frame.context);
    Flow flow = Flow::kNext;
    NOTSO_TRY(auto text, capture([&]() -> Result<void> {
                  NOTSO_TRY(flow, exec_body(node.body, *scope));
                  return {};
              }));
    if (flow != Flow::kNext) return flow;
    Value value = captured_value(std::move(text));
    if (node.filter) {
        const Restored base(captured_, value);
        NOTSO_TRY(value, eval(*node.filter, *scope));
        NOTSO_TRY(auto filtered, text_of(value));
        if (auto_escape_) value = Value::markup(std::move(filtered));
    }
    NOTSO_CHECK(assign(node.target, value, frame));
    return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::exec_node(const FilterBlockStmt& node, Frame& frame) {
    const FrameScope scope(frames_, &frame, frame.context);
    Flow flow = Flow::kNext;
    NOTSO_TRY(auto text, capture([&]() -> Result<void> {
                  NOTSO_TRY(flow, exec_body(node.body, *scope));
                  return {};
              }));
    if (flow != Flow::kNext) return flow;
    const Restored base(captured_, captured_value(std::move(text)));
    NOTSO_TRY(const auto value, eval(*node.filter, *scope));
    if (!value.is_string()) {
        return located({ErrorCode::kInvalidArgument,
                        fmt::format("a filter block has to give text, its filters give '{}'",
                                    value.type_name())},
                       node.filter->at);
    }
    NOTSO_CHECK(print(value));
    return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::exec_node(const WithStmt& node, Frame& frame) {
    const FrameScope scope(frames_, &frame, frame.context);
    for (const auto& [target, expr] : node.values) {
        NOTSO_TRY(const auto value, eval(*expr, frame));
        NOTSO_CHECK(assign(target, value, *scope));
    }
    return exec_body(node.body, *scope);
}

Result<Interpreter::Flow> Interpreter::exec_node(const AutoEscapeStmt& node, Frame& frame) {
    NOTSO_TRY(const auto enabled, eval(*node.enabled, frame));
    const Restored escape(auto_escape_, enabled.truthy());
    const FrameScope scope(frames_, &frame, frame.context);
    return exec_body(node.body, *scope);
}

Result<Interpreter::Flow> Interpreter::exec_node(const ScopeStmt& node, Frame& frame) {
    const FrameScope scope(frames_, &frame, frame.context);
    return exec_body(node.body, *scope);
}

Result<Interpreter::Flow> Interpreter::exec_node(const ForStmt& node, Frame& frame) {
    NOTSO_TRY(const auto items, eval(*node.iterable, frame));
    if (!node.recursive) return run_loop(node, frame, items, 0);
    NOTSO_TRY(const auto text, run_recursive_loop(node, frame, items, 0));
    NOTSO_CHECK(print(text));
    return Flow::kNext;
}

Result<Value> Interpreter::run_recursive_loop(const ForStmt& loop,
                                              Frame& frame,
                                              const Value& items,
                                              int depth) {
    const CallDepth call(*this);
    NOTSO_CHECK(call.check());
    NOTSO_TRY(auto text, capture([&]() -> Result<void> {
                  NOTSO_TRY(const Flow flow, run_loop(loop, frame, items, depth));
                  static_cast<void>(flow);
                  return {};
              }));
    return captured_value(std::move(text));
}

// Flow that leaves the else branch concerns the loop around this one.
Result<Interpreter::Flow> Interpreter::run_loop(const ForStmt& loop,
                                                Frame& frame,
                                                const Value& items,
                                                int depth) {
    LoopSource source(*this, loop, frame, frames_);
    NOTSO_CHECK(source.start(items));
    bool completed = false;
    {
        const FrameScope body(frames_, &frame, frame.context);
        Loop* object = loop.uses_loop ? &own<Loop>(loop, frame, depth) : nullptr;
        if (object != nullptr) object->attach(&source);
        auto ran = run_iterations(loop, source, *body, object);
        if (object != nullptr) object->attach(nullptr);
        if (!ran) return std::unexpected(std::move(ran).error());
        completed = *ran;
    }
    if (completed || loop.otherwise.empty()) return Flow::kNext;
    const FrameScope scope(frames_, &frame, frame.context);
    return exec_body(loop.otherwise, *scope);
}

// Whether the body reached its end at least once.
Result<bool> Interpreter::run_iterations(const ForStmt& loop,
                                         LoopSource& source,
                                         Frame& body,
                                         Loop* object) {
    bool completed = false;
    while (true) {
        NOTSO_TRY(auto item, source.next());
        if (!item) return completed;
        body.variables.clear();
        NOTSO_CHECK(assign(loop.target, *item, body));
        if (object != nullptr) {
            object->advance(*std::move(item));
            body.set("loop", refer(*object));
        }
        NOTSO_TRY(const Flow flow, exec_body(loop.body, body));
        if (object != nullptr) NOTSO_CHECK(object->take_error());
        if (flow == Flow::kBreak) return completed;
        completed = completed || flow == Flow::kNext;
    }
}

}  // namespace notso::services::jinja

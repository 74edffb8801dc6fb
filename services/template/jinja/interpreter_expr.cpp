// Evaluation of expressions; see interpreter.hpp.
#include "services/template/jinja/interpreter.hpp"
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/registry.hpp"

namespace notso::services::jinja {

Result<Value> Interpreter::eval(const Expr& expr, Frame& frame) {
    auto ready = spend();
    if (ready) ready = check_stack();
    if (!ready) return located(std::move(ready).error(), expr.at);
    auto value = std::visit([&](const auto& node) { return eval_node(node, frame); }, expr.node);
    if (value && meter_.overworked()) value = std::unexpected(spend(0).error());
    if (!value) return located(std::move(value).error(), expr.at);
    return value;
}

Value Interpreter::look_up(std::string_view name, Frame& frame) {
    const Frame* at = &frame;
    for (; at != nullptr; at = at->parent) {
        if (const Value* found = at->find(name)) return *found;
        if (at->parent != nullptr || at->context->variables == nullptr) continue;
        if (const Value* found = at->context->variables->find(name)) return *found;
    }
    if (name == "self") return make_self(*frame.context);
    if (const Value* found = find_global(name)) return *found;
    return Value::undefined(fmt::format("'{}' is undefined", name));
}

Result<Value> Interpreter::eval_node(const LiteralExpr& node, Frame&) { return node.value; }

Result<Value> Interpreter::eval_node(const NameExpr& node, Frame& frame) {
    return look_up(node.name, frame);
}

Result<Value> Interpreter::eval_node(const ListExpr& node, Frame& frame) {
    std::vector<Value> items;
    items.reserve(node.items.size());
    for (const auto& item : node.items) {
        NOTSO_TRY(auto value, eval(*item, frame));
        items.push_back(std::move(value));
    }
    return checked(node.is_list ? Value::list(std::move(items)) : Value::tuple(std::move(items)));
}

Result<Value> Interpreter::eval_node(const DictExpr& node, Frame& frame) {
    auto dict = std::make_shared<Dict>();
    for (const auto& [key_expr, value_expr] : node.items) {
        NOTSO_TRY(const auto key, eval(*key_expr, frame));
        NOTSO_TRY(auto value, eval(*value_expr, frame));
        if (!dict->set(key, std::move(value))) {
            return fail(
                ErrorCode::kInvalidArgument, "a '{}' can't be the key of a dict", key.type_name());
        }
    }
    return checked(Value::dict(std::move(dict)));
}

Result<Value> Interpreter::eval_node(const SignExpr& node, Frame& frame) {
    NOTSO_TRY(const auto value, eval(*node.operand, frame));
    return signed_value(value, node.negative);
}

Result<Value> Interpreter::eval_node(const ArithmeticExpr& node, Frame& frame) {
    NOTSO_TRY(auto value, eval(*node.first, frame));
    for (const auto& [op, operand] : node.rest) {
        NOTSO_TRY(const auto right, eval(*operand, frame));
        NOTSO_CHECK(spend_on(value));
        NOTSO_TRY(value, arithmetic(*this, op, value, right));
        NOTSO_TRY(value, made(std::move(value)));
    }
    return value;
}

Result<Value> Interpreter::eval_node(const ConcatExpr& node, Frame& frame) {
    std::vector<Value> parts;
    bool markup = false;
    for (const auto& part : node.parts) {
        NOTSO_TRY(auto value, eval(*part, frame));
        markup = markup || (auto_escape_ && value.is_markup());
        parts.push_back(std::move(value));
    }
    TextBuilder out = builder();
    for (const Value& part : parts) {
        if (markup && !part.is_markup()) {
            NOTSO_TRY(const auto text, escaped(part));
            out.add(text);
        } else {
            write_str(out, part);
        }
        NOTSO_CHECK(spend_on(part));
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return made(markup ? Value::markup(std::move(text)) : Value::string(std::move(text)));
}

Result<bool> Interpreter::compare(Comparison comparison, const Value& left, const Value& right) {
    switch (comparison) {
        case Comparison::kEq:
            return equals(left, right);
        case Comparison::kNe:
            return !equals(left, right);
        case Comparison::kIn:
            return contains(right, left);
        case Comparison::kNotIn: {
            NOTSO_TRY(const bool found, contains(right, left));
            return !found;
        }
        default:
            break;
    }
    return ordered(comparison, left, right);
}

Result<Value> Interpreter::eval_node(const CompareExpr& node, Frame& frame) {
    NOTSO_TRY(auto left, eval(*node.first, frame));
    for (const auto& [comparison, operand] : node.rest) {
        NOTSO_TRY(auto right, eval(*operand, frame));
        NOTSO_CHECK(spend_on(left));
        NOTSO_TRY(const bool holds, compare(comparison, left, right));
        if (!holds) return Value::boolean(false);
        left = std::move(right);
    }
    return Value::boolean(true);
}

Result<Value> Interpreter::eval_node(const LogicExpr& node, Frame& frame) {
    Value value;
    for (const auto& operand : node.operands) {
        NOTSO_TRY(value, eval(*operand, frame));
        if (value.truthy() != node.is_and) break;
    }
    return value;
}

Result<Value> Interpreter::eval_node(const NotExpr& node, Frame& frame) {
    NOTSO_TRY(const auto value, eval(*node.operand, frame));
    return Value::boolean(!value.truthy());
}

Result<Value> Interpreter::eval_node(const TernaryExpr& node, Frame& frame) {
    NOTSO_TRY(const auto condition, eval(*node.condition, frame));
    if (condition.truthy()) return eval(*node.then, frame);
    if (node.otherwise) return eval(*node.otherwise, frame);
    return Value::undefined("the inline if is false and has no else");
}

Result<Value> Interpreter::eval_node(const AttributeExpr& node, Frame& frame) {
    NOTSO_TRY(const auto base, eval(*node.base, frame));
    return attribute(base, node.name);
}

Result<Value> Interpreter::eval_node(const ItemExpr& node, Frame& frame) {
    NOTSO_TRY(const auto base, eval(*node.base, frame));
    NOTSO_TRY(const auto key, eval(*node.key, frame));
    if (base.is_string()) NOTSO_CHECK(spend_on(base));
    return item(base, key);
}

Result<Value> Interpreter::eval_node(const SliceExpr& node, Frame& frame) {
    NOTSO_TRY(const auto base, eval(*node.base, frame));
    SliceBounds bounds;
    const std::pair<const ExprPtr*, Value*> parts[] = {
        {&node.start, &bounds.start}, {&node.stop, &bounds.stop}, {&node.step, &bounds.step}};
    for (const auto& [expr, value] : parts) {
        if (*expr == nullptr) continue;
        NOTSO_TRY(*value, eval(**expr, frame));
    }
    NOTSO_CHECK(spend_on(base));
    return slice(*this, base, bounds);
}

Result<void> Interpreter::spread(const Arguments& arguments, Frame& frame, CallArgs& out) {
    if (arguments.star) {
        NOTSO_TRY(const auto value, eval(*arguments.star, frame));
        NOTSO_TRY(const auto items, iterate(value));
        out.positional.insert(out.positional.end(), items->items.begin(), items->items.end());
    }
    if (!arguments.star_star) return {};
    NOTSO_TRY(const auto value, eval(*arguments.star_star, frame));
    if (!value.is_dict())
        return fail(ErrorCode::kInvalidArgument, "** takes a dict, not '{}'", value.type_name());
    for (const auto& [key, item] : value.as_dict().entries()) {
        NOTSO_CHECK(spend(static_cast<std::int64_t>(out.named.size() / 8)));
        if (!key.is_string())
            return fail(ErrorCode::kInvalidArgument, "the names in a ** dict must be strings");
        const bool doubled =
            std::any_of(out.named.begin(), out.named.end(), [&](const auto& named) {
                return named.first == key.text();
            });
        if (doubled)
            return fail(
                ErrorCode::kInvalidArgument, "the argument '{}' is given twice", key.text());
        out.named.emplace_back(key.text(), item);
    }
    return {};
}

Result<CallArgs> Interpreter::eval_arguments(const Arguments& arguments, Frame& frame) {
    CallArgs out;
    out.positional.reserve(arguments.positional.size());
    for (const auto& expr : arguments.positional) {
        NOTSO_TRY(auto value, eval(*expr, frame));
        out.positional.push_back(std::move(value));
    }
    for (const auto& [name, expr] : arguments.named) {
        NOTSO_TRY(auto value, eval(*expr, frame));
        out.named.emplace_back(name, std::move(value));
    }
    NOTSO_CHECK(spread(arguments, frame, out));
    return out;
}

// A method of a string, list or dict is called without making an object for it first.
Result<Value> Interpreter::eval_node(const CallExpr& node, Frame& frame) {
    if (const auto* method = std::get_if<AttributeExpr>(&node.callee->node)) {
        NOTSO_TRY(const auto base, eval(*method->base, frame));
        if (const FilterFunction function = find_method(base, method->name)) {
            NOTSO_TRY(const auto args, eval_arguments(node.arguments, frame));
            NOTSO_CHECK(spend_on(base));
            NOTSO_TRY(auto result, function(*this, base, args));
            return made(std::move(result));
        }
        auto callee = attribute(base, method->name);
        if (!callee) return located(std::move(callee).error(), node.callee->at);
        NOTSO_TRY(auto args, eval_arguments(node.arguments, frame));
        return call(*callee, std::move(args));
    }
    NOTSO_TRY(const auto callee, eval(*node.callee, frame));
    NOTSO_TRY(auto args, eval_arguments(node.arguments, frame));
    return call(callee, std::move(args));
}

Result<Value> Interpreter::eval_node(const FilterExpr& node, Frame& frame) {
    Value base;
    if (node.base) {
        NOTSO_TRY(base, eval(*node.base, frame));
    } else {
        base = captured_;
    }
    NOTSO_TRY(const auto args, eval_arguments(node.arguments, frame));
    return apply_filter(node.name, base, args);
}

Result<Value> Interpreter::eval_node(const TestExpr& node, Frame& frame) {
    NOTSO_TRY(const auto base, eval(*node.base, frame));
    NOTSO_TRY(const auto args, eval_arguments(node.arguments, frame));
    NOTSO_TRY(const bool holds, apply_test(node.name, base, args));
    return Value::boolean(holds);
}

}  // namespace notso::services::jinja

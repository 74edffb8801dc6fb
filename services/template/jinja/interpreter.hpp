// Runs a parsed template: a walk over the syntax tree with budgets for steps, time, memory, output
// and depth. One object per rendering. The public part is what filters, tests and methods use.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/template/jinja/ast.hpp"
#include "services/template/jinja/frame.hpp"
#include "services/template/jinja/object.hpp"
#include "services/template/jinja/template_impl.hpp"
#include "services/template/jinja/text.hpp"

namespace notso::services::jinja {

class Macro;
class Loop;
class LoopSource;

class Interpreter {
  public:
    Interpreter(const TemplateImpl& root, const RenderInput& input);
    ~Interpreter();
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;

    Result<std::string> run();

    const Limits& limits() const { return limits_; }
    const RenderInput& input() const { return input_; }
    bool auto_escape() const { return auto_escape_; }

    /// Spends steps; fails when the budget of steps, time or memory is used up.
    Result<void> spend(std::int64_t steps = 1);
    /// Before an operation that walks over the whole value: a long text costs more, and is refused
    /// when the time that is left would not do for it.
    /// @param walks  How often, or how much dearer than changing case it is.
    Result<void> spend_on(const Value& value, std::int64_t walks = 1);
    /// Of what an operation has made: spends by the size of a text, then checked().
    Result<Value> made(Value value);
    /// Fails when a text is too long or a value nests too deep.
    Result<Value> checked(Value value) const;
    TextBuilder builder() const { return TextBuilder(limits_.max_output_bytes); }
    /// str().
    Result<std::string> text_of(const Value& value) const;
    /// str() that stays HTML when it is HTML.
    Result<Value> string_of(const Value& value) const;
    /// HTML: escaped unless it is HTML already.
    Result<std::string> escaped(const Value& value) const;

    /// What a for loop runs over. @errors kInvalidArgument when it can't be looped over.
    Result<Items> iterate(const Value& value);
    /// value.name, as templates see it: attributes and methods first, then items; undefined when
    /// there is neither.
    Result<Value> attribute(const Value& value, std::string_view name);
    /// value[key]: items first.
    Result<Value> item(const Value& value, const Value& key);
    Result<Value> call(const Value& callee, CallArgs args);
    Result<Value> apply_filter(std::string_view name, const Value& value, const CallArgs& args);
    Result<bool> apply_test(std::string_view name, const Value& value, const CallArgs& args);
    Result<bool> contains(const Value& container, const Value& needle);

    // For macros, blocks and loops, which run parts of the template when they are called.
    Result<Value> call_macro(const Macro& macro, CallArgs args);
    Result<Value> render_block(Context& context,
                               std::string_view name,
                               std::size_t depth,
                               Frame& outer);
    Result<Value> run_recursive_loop(const ForStmt& loop,
                                     Frame& frame,
                                     const Value& items,
                                     int depth);
    Result<void> assign(const Target& target, const Value& value, Frame& frame);
    Result<Value> eval(const Expr& expr, Frame& frame);

  private:
    enum class Flow : std::uint8_t { kNext, kBreak, kContinue };

    // Expressions (interpreter_expr.cpp).
    Result<Value> eval_node(const LiteralExpr& node, Frame& frame);
    Result<Value> eval_node(const NameExpr& node, Frame& frame);
    Result<Value> eval_node(const ListExpr& node, Frame& frame);
    Result<Value> eval_node(const DictExpr& node, Frame& frame);
    Result<Value> eval_node(const SignExpr& node, Frame& frame);
    Result<Value> eval_node(const ArithmeticExpr& node, Frame& frame);
    Result<Value> eval_node(const ConcatExpr& node, Frame& frame);
    Result<Value> eval_node(const CompareExpr& node, Frame& frame);
    Result<Value> eval_node(const LogicExpr& node, Frame& frame);
    Result<Value> eval_node(const NotExpr& node, Frame& frame);
    Result<Value> eval_node(const TernaryExpr& node, Frame& frame);
    Result<Value> eval_node(const AttributeExpr& node, Frame& frame);
    Result<Value> eval_node(const ItemExpr& node, Frame& frame);
    Result<Value> eval_node(const SliceExpr& node, Frame& frame);
    Result<Value> eval_node(const CallExpr& node, Frame& frame);
    Result<Value> eval_node(const FilterExpr& node, Frame& frame);
    Result<Value> eval_node(const TestExpr& node, Frame& frame);
    Result<CallArgs> eval_arguments(const Arguments& arguments, Frame& frame);
    Result<void> spread(const Arguments& arguments, Frame& frame, CallArgs& out);
    Result<bool> compare(Comparison comparison, const Value& left, const Value& right);
    Value look_up(std::string_view name, Frame& frame);
    static Value make_self(Context& context);

    // Statements (interpreter_stmt.cpp).
    Result<Flow> exec_body(const Body& body, Frame& frame);
    Result<Flow> exec(const Stmt& stmt, Frame& frame);
    Result<Flow> exec_node(const TextStmt& node, Frame& frame);
    Result<Flow> exec_node(const PrintStmt& node, Frame& frame);
    Result<Flow> exec_node(const IfStmt& node, Frame& frame);
    Result<Flow> exec_node(const ForStmt& node, Frame& frame);
    Result<Flow> exec_node(const SetStmt& node, Frame& frame);
    Result<Flow> exec_node(const SetBlockStmt& node, Frame& frame);
    Result<Flow> exec_node(const MacroStmt& node, Frame& frame);
    Result<Flow> exec_node(const CallBlockStmt& node, Frame& frame);
    Result<Flow> exec_node(const FilterBlockStmt& node, Frame& frame);
    Result<Flow> exec_node(const WithStmt& node, Frame& frame);
    Result<Flow> exec_node(const AutoEscapeStmt& node, Frame& frame);
    Result<Flow> exec_node(const ScopeStmt& node, Frame& frame);
    Result<Flow> exec_node(const BlockStmt& node, Frame& frame);
    Result<Flow> exec_node(const ExtendsStmt& node, Frame& frame);
    Result<Flow> exec_node(const IncludeStmt& node, Frame& frame);
    Result<Flow> exec_node(const ImportStmt& node, Frame& frame);
    Result<Flow> exec_node(const BreakStmt&, Frame&) { return Flow::kBreak; }
    Result<Flow> exec_node(const ContinueStmt&, Frame&) { return Flow::kContinue; }
    Result<void> print(const Value& value);
    Result<void> write(std::string_view text);
    Result<Flow> run_loop(const ForStmt& loop, Frame& frame, const Value& items, int depth);
    Result<bool> run_iterations(const ForStmt& loop, LoopSource& source, Frame& body, Loop* object);
    Result<void> bind_parameters(const Macro& macro, CallArgs& args, Frame& frame);
    Value make_macro(const MacroStmt& node, Frame& frame);
    /// Text value of what was captured: HTML where escaping is on.
    Value captured_value(std::string text) const;

    // Composition (interpreter_compose.cpp).
    Result<std::shared_ptr<const TemplateImpl>> load(const Value& name);
    Result<std::shared_ptr<const TemplateImpl>> load_required(const Value& name);
    Result<void> run_template(const TemplateImpl& source, Context& context);
    Result<void> run_block(Context& context,
                           std::string_view name,
                           std::size_t depth,
                           Frame& outer);
    Context* new_context(const TemplateImpl& source, Frame* outer);
    Result<void> import_names(const ImportStmt& node,
                              Frame& frame,
                              const Value& module,
                              const std::string& from);

    /// Runs `body` with its output captured.
    template <class Run>
    Result<std::string> capture(Run&& body);

    Result<void> check_stack() const;
    std::unexpected<Error> located(Error error, std::uint32_t at);

    friend class CallDepth;
    friend class CurrentTemplate;

    MemoryMeter meter_;
    const TemplateImpl& root_;
    const RenderInput& input_;
    Limits limits_;
    std::chrono::steady_clock::time_point deadline_;
    const char* stack_base_ = nullptr;
    std::int64_t steps_ = 0;
    std::int64_t next_clock_check_ = 0;
    std::chrono::nanoseconds expected_{0};  // what the next operation takes
    int call_depth_ = 0;
    bool auto_escape_ = false;
    bool suppressed_ = false;  // the top level of a template that extends another prints nothing
    bool error_located_ = false;
    const TemplateImpl* current_ = nullptr;
    TextBuilder* out_ = nullptr;
    Value captured_;  // what a filter or set block's filter chain begins with
    std::shared_ptr<Dict> variables_;
    std::vector<std::shared_ptr<const TemplateImpl>> loaded_;
    std::vector<std::shared_ptr<Object>>
        owned_;  // objects that could hold themselves: namespaces, loops
    FramePool frames_;

  public:
    /// Makes an object that the interpreter owns; values only point to it, so that it may hold
    /// itself.
    template <class T, class... Args>
    T& own(Args&&... args) {
        auto made = std::make_shared<T>(std::forward<Args>(args)...);
        T& object = *made;
        owned_.push_back(std::move(made));
        return object;
    }
    /// A value that points to an owned object.
    static Value refer(Object& object) {
        return Value::object(std::shared_ptr<Object>(std::shared_ptr<void>(), &object));
    }
};

/// Converts what came in as JSON. @errors kTooLarge when it nests too deep.
Value value_from_json(const boost::json::value& json);

}  // namespace notso::services::jinja

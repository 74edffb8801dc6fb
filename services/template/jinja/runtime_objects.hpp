// Objects that run parts of a template when they are called: macros, loops, blocks; and imported
// modules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/template/jinja/interpreter.hpp"

namespace notso::services::jinja {

/// A macro, or the `caller` of a call block, with the scope it was defined in.
class Macro final : public Object {
  public:
    Macro(const MacroStmt& statement, Frame& frame, const TemplateImpl& source)
        : definition(statement), closure(frame), owner(source) {}
    std::string_view type_name() const override { return "Macro"; }
    void write_repr(TextBuilder& out) override;
    std::optional<Value> attribute(Interpreter&, std::string_view name) override;
    bool callable() const override { return true; }
    Result<Value> call(Interpreter& interpreter, CallArgs args) override {
        return interpreter.call_macro(*this, std::move(args));
    }

    const MacroStmt& definition;
    Frame& closure;
    const TemplateImpl& owner;
};

/// Gives the items of a for loop one by one. The loop's condition is asked when an item is about to
/// be needed, not before: it may depend on what the body did.
class LoopSource {
  public:
    LoopSource(Interpreter& interpreter, const ForStmt& loop, Frame& outer, FramePool& frames)
        : interpreter_(interpreter), loop_(loop), outer_(outer), frames_(frames) {}
    /// @errors kInvalidArgument when the value can't be looped over.
    Result<void> start(const Value& iterable);
    /// The next item; nothing at the end.
    Result<std::optional<Value>> next();
    /// The item after the current one, without going there.
    Result<std::optional<Value>> peek();
    /// How many items there are in all. Runs the condition on all that are left.
    Result<std::int64_t> length(std::int64_t taken);

  private:
    Result<std::optional<Value>> pull();

    Interpreter& interpreter_;
    const ForStmt& loop_;
    Frame& outer_;
    FramePool& frames_;
    Items items_;
    std::size_t at_ = 0;
    bool sized_ = false;
    bool filtering_ = false;
    std::optional<std::optional<Value>> ahead_;
};

/// The `loop` variable.
class Loop final : public Object {
  public:
    Loop(const ForStmt& loop, Frame& frame, int depth)
        : statement_(loop), frame_(frame), depth_(depth) {}
    std::string_view type_name() const override { return "LoopContext"; }
    void write_repr(TextBuilder& out) override;
    std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;
    bool callable() const override { return true; }
    /// loop(items): runs a recursive loop on other items.
    Result<Value> call(Interpreter& interpreter, CallArgs args) override;

    /// Called before each pass of the body.
    void advance(Value item);
    void attach(LoopSource* source) { source_ = source; }
    /// A condition that failed while an attribute looked ahead; the loop reports it.
    Result<void> take_error();

  private:
    std::optional<Value> number_attribute(std::string_view name);
    std::optional<Value> item_attribute(std::string_view name);
    Value method(std::string_view name);
    std::int64_t count_items();
    Value next_item();
    Result<Value> cycle(const CallArgs& args) const;
    Result<Value> changed(const CallArgs& args);

    const ForStmt& statement_;
    Frame& frame_;
    LoopSource* source_ = nullptr;
    int depth_;
    std::int64_t index_ = -1;
    Value current_;
    Value previous_;
    std::optional<Value> last_changed_;
    std::optional<Error> error_;
};

/// A block, to be called as super() or self.name().
class BlockReference final : public Object {
  public:
    BlockReference(Context& context, std::string name, std::size_t depth, Frame& outer)
        : context_(context), name_(std::move(name)), depth_(depth), outer_(outer) {}
    std::string_view type_name() const override { return "BlockReference"; }
    std::optional<Value> attribute(Interpreter&, std::string_view name) override;
    bool callable() const override { return true; }
    Result<Value> call(Interpreter& interpreter, CallArgs) override {
        return interpreter.render_block(context_, name_, depth_, outer_);
    }

  private:
    Context& context_;
    std::string name_;
    std::size_t depth_;
    Frame& outer_;  // what the block sees around it
};

/// The block behind `depth` others of its name, or undefined.
Value block_reference(Context& context, std::string_view name, std::size_t depth, Frame& outer);

/// `self`: the blocks of the template.
class SelfReference final : public Object {
  public:
    explicit SelfReference(Context& context) : context_(context) {}
    std::string_view type_name() const override { return "TemplateReference"; }
    std::optional<Value> item(const Value& key) override;

  private:
    Context& context_;
};

/// What import gives: the exported names of a template, and its text.
class Module final : public Object {
  public:
    Module(Context& context, std::string text) : context_(context), text_(std::move(text)) {}
    std::string_view type_name() const override { return "TemplateModule"; }
    void write_repr(TextBuilder& out) override { out.add(text_); }
    std::optional<Value> attribute(Interpreter&, std::string_view name) override;

  private:
    Context& context_;
    std::string text_;
};

}  // namespace notso::services::jinja

// Values that are more than data: namespaces, generators, views, ranges, bound methods; macros and
// loops (defined by the interpreter) derive from the same base.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/template/jinja/value.hpp"

namespace notso::services::jinja {

class Interpreter;
class TextBuilder;

/// The arguments of a call, filter or test.
struct CallArgs {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;
};

/// Items to loop over; shares the list's storage where it can.
using Items = std::shared_ptr<const Sequence>;

/// Base of all objects. Every operation has the answer of a Python object that doesn't support it.
class Object : public Metered {
  public:
    explicit Object(std::size_t bytes = 128) : Metered(bytes) {}
    virtual ~Object() = default;

    virtual std::string_view type_name() const = 0;
    virtual bool truthy() const { return true; }
    virtual int depth() const { return 1; }
    virtual bool equal_to(const Object&) const { return false; }
    /// Whether it can be the key of a dict.
    virtual bool hashable() const { return true; }
    /// Writes Python's repr().
    virtual void write_repr(TextBuilder& out);
    /// The attribute with this name; nothing when there is none.
    virtual std::optional<Value> attribute(Interpreter&, std::string_view) { return std::nullopt; }
    /// What object[key] gives; nothing when there is none.
    virtual std::optional<Value> item(const Value&) { return std::nullopt; }
    virtual bool callable() const { return false; }
    virtual Result<Value> call(Interpreter&, CallArgs args);
    /// The items, or nullptr when it can't be looped over. May use the object up (generators).
    virtual Result<Items> iterate() { return nullptr; }
    virtual bool iterable() const { return false; }
    /// len(), where it has one.
    virtual std::optional<std::int64_t> length() const { return std::nullopt; }
};

/// namespace(): the one thing that a template can change.
class Namespace final : public Object {
  public:
    std::string_view type_name() const override { return "Namespace"; }
    void write_repr(TextBuilder& out) override;
    std::optional<Value> attribute(Interpreter&, std::string_view name) override;
    Dict& attributes() { return attributes_; }

  private:
    Dict attributes_;
};

/// A generator or iterator: its items can be taken once. They are made, all of them, when the first
/// one is asked for.
class Generator final : public Object {
  public:
    using Make = std::move_only_function<Result<std::vector<Value>>()>;
    explicit Generator(Make make) : make_(std::move(make)) {}
    explicit Generator(std::vector<Value> items, std::string_view type = "generator");
    std::string_view type_name() const override { return type_; }
    int depth() const override { return items_ != nullptr ? items_->depth : 1; }
    Result<Items> iterate() override;
    bool iterable() const override { return true; }
    /// The next item, or nothing at the end.
    Result<std::optional<Value>> next();

  private:
    Result<void> fill();

    std::string_view type_ = "generator";
    Make make_;
    Items items_;
    std::size_t next_ = 0;
};

/// dict.keys(), dict.values(), dict.items().
class DictView final : public Object {
  public:
    enum class Kind : std::uint8_t { kKeys, kValues, kItems };
    DictView(std::shared_ptr<const Dict> dict, Kind kind) : dict_(std::move(dict)), kind_(kind) {}
    std::string_view type_name() const override;
    int depth() const override { return dict_->depth() + 1; }
    bool truthy() const override { return dict_->size() != 0; }
    bool hashable() const override { return kind_ == Kind::kValues; }  // the others are sets
    void write_repr(TextBuilder& out) override;
    Result<Items> iterate() override { return items(); }
    bool iterable() const override { return true; }
    std::optional<std::int64_t> length() const override {
        return static_cast<std::int64_t>(dict_->size());
    }
    Items items() const;

  private:
    std::shared_ptr<const Dict> dict_;
    Kind kind_;
};

/// range(): its items are made when they are asked for.
class Range final : public Object {
  public:
    Range(std::int64_t start, std::int64_t stop, std::int64_t step)
        : start_(start), stop_(stop), step_(step) {}
    std::string_view type_name() const override { return "range"; }
    bool truthy() const override { return count() != 0; }
    bool equal_to(const Object& other) const override;
    void write_repr(TextBuilder& out) override;
    std::optional<Value> attribute(Interpreter&, std::string_view name) override;
    std::optional<Value> item(const Value& key) override;
    Result<Items> iterate() override;
    bool iterable() const override { return true; }
    std::optional<std::int64_t> length() const override { return count(); }
    std::int64_t count() const;
    std::int64_t start() const { return start_; }
    std::int64_t step() const { return step_; }

  private:
    std::int64_t start_;
    std::int64_t stop_;
    std::int64_t step_;
};

/// A function of C++: globals and the bound methods of strings, lists and dicts.
class Function final : public Object {
  public:
    using Body = std::function<Result<Value>(Interpreter&, CallArgs)>;
    Function(std::string name, Body body) : name_(std::move(name)), body_(std::move(body)) {}
    std::string_view type_name() const override { return "builtin_function_or_method"; }
    void write_repr(TextBuilder& out) override;
    bool callable() const override { return true; }
    Result<Value> call(Interpreter& interpreter, CallArgs args) override {
        return body_(interpreter, std::move(args));
    }

  private:
    std::string name_;
    Body body_;
};

/// Makes a value of a new T.
template <class T, class... Args>
Value make_object(Args&&... args) {
    return Value::object(std::make_shared<T>(std::forward<Args>(args)...));
}

}  // namespace notso::services::jinja

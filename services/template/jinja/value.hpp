// Values of the Jinja engine, with Python's types: undefined, None, bool, int, float, str, list,
// tuple, dict and objects (namespaces, macros, loops, generators…). Strings, lists and dicts are
// immutable and shared; only a namespace changes after it was made. What they hold is counted by
// the MemoryMeter of the running rendering.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace notso::services::jinja {

class Dict;
class Object;
struct String;
struct Sequence;
struct UndefinedInfo;

/// Counts the bytes that values hold while one rendering runs on this thread.
class MemoryMeter {
  public:
    MemoryMeter() : outer_(current_) { current_ = this; }
    ~MemoryMeter() { current_ = outer_; }
    MemoryMeter(const MemoryMeter&) = delete;
    MemoryMeter& operator=(const MemoryMeter&) = delete;

    /// While it lives, new values count nowhere: they will outlive the rendering.
    class Paused {
      public:
        Paused() : saved_(std::exchange(current_, nullptr)) {}
        ~Paused() { current_ = saved_; }
        Paused(const Paused&) = delete;
        Paused& operator=(const Paused&) = delete;

      private:
        MemoryMeter* saved_;
    };

    static MemoryMeter* current() noexcept { return current_; }
    std::int64_t used_bytes() const noexcept { return used_; }
    void add(std::int64_t bytes) noexcept { used_ += bytes; }
    /// Counts work that has no way to fail (comparing and hashing values, which may share parts
    /// many times over). False when it is used up: the caller gives up at once, and the rendering
    /// fails at its next step.
    static bool charge(std::size_t units) noexcept {
        if (current_ == nullptr) return true;
        current_->work_left_ -= static_cast<std::int64_t>(units);
        return current_->work_left_ >= 0;
    }
    void allow_work(std::int64_t units) noexcept { work_left_ = units; }
    bool overworked() const noexcept { return work_left_ < 0; }

  private:
    static thread_local MemoryMeter* current_;
    MemoryMeter* outer_;
    std::int64_t used_ = 0;
    std::int64_t work_left_ = INT64_MAX;
};

/// Base of everything that counts: adds its size to the meter of its thread, and takes it off when
/// it dies.
class Metered {
  public:
    explicit Metered(std::size_t bytes) noexcept;
    ~Metered();
    Metered(const Metered&) = delete;
    Metered& operator=(const Metered&) = delete;

  protected:
    void meter_more(std::size_t bytes) noexcept;

  private:
    MemoryMeter* meter_;
    std::int64_t bytes_;
};

struct None {};

/// One value. Cheap to copy (a tag and a shared pointer).
class Value {
  public:
    enum class Type : std::uint8_t {
        kUndefined,
        kNone,
        kBool,
        kInt,
        kFloat,
        kString,
        kSequence,
        kDict,
        kObject
    };

    /// Undefined, without a message.
    Value() = default;
    /// Undefined; `message` is the error that using it gives.
    static Value undefined(std::string message);
    static Value none() { return Value(Data(None{})); }
    static Value boolean(bool value) { return Value(Data(value)); }
    static Value integer(std::int64_t value) { return Value(Data(value)); }
    static Value real(double value) { return Value(Data(value)); }
    static Value string(std::string text);
    /// A string that is HTML already: never escaped again.
    static Value markup(std::string text);
    static Value list(std::vector<Value> items);
    static Value tuple(std::vector<Value> items);
    static Value dict(std::shared_ptr<const Dict> dict) { return Value(Data(std::move(dict))); }
    static Value object(std::shared_ptr<Object> object) { return Value(Data(std::move(object))); }

    Type type() const noexcept { return static_cast<Type>(data_.index()); }
    bool is_undefined() const noexcept { return type() == Type::kUndefined; }
    bool is_none() const noexcept { return type() == Type::kNone; }
    bool is_bool() const noexcept { return type() == Type::kBool; }
    bool is_int() const noexcept { return type() == Type::kInt; }
    bool is_float() const noexcept { return type() == Type::kFloat; }
    bool is_string() const noexcept { return type() == Type::kString; }
    bool is_markup() const noexcept;
    bool is_sequence() const noexcept { return type() == Type::kSequence; }
    bool is_list() const noexcept;
    bool is_tuple() const noexcept { return is_sequence() && !is_list(); }
    bool is_dict() const noexcept { return type() == Type::kDict; }
    bool is_object() const noexcept { return type() == Type::kObject; }
    /// bool, int or float: what Python's numbers.Number covers here.
    bool is_number() const noexcept { return is_bool() || is_int() || is_float(); }
    /// bool or int.
    bool is_integral() const noexcept { return is_bool() || is_int(); }

    bool as_bool() const { return std::get<bool>(data_); }
    /// Of a bool or an int.
    std::int64_t as_int() const;
    /// Of a bool, an int or a float.
    double as_double() const;
    const String& as_string() const { return *std::get<std::shared_ptr<const String>>(data_); }
    std::string_view text() const;
    const Sequence& sequence() const { return *sequence_ref(); }
    const std::shared_ptr<const Sequence>& sequence_ref() const {
        return std::get<std::shared_ptr<const Sequence>>(data_);
    }
    const std::vector<Value>& items() const;
    /// Of a pair made by groupby, which also has names.
    bool is_group() const;
    static Value group(Value key, Value items);
    const Dict& as_dict() const { return *dict_ref(); }
    const std::shared_ptr<const Dict>& dict_ref() const {
        return std::get<std::shared_ptr<const Dict>>(data_);
    }
    Object& as_object() const { return *std::get<std::shared_ptr<Object>>(data_); }
    /// The object as a T, or nullptr.
    template <class T>
    T* as() const {
        return is_object() ? dynamic_cast<T*>(&as_object()) : nullptr;
    }
    /// Why an undefined value is undefined.
    std::string undefined_message() const;

    /// Python's truth value.
    bool truthy() const;
    /// Python's name of the type: "int", "str", "NoneType"…
    std::string_view type_name() const;
    /// How deep lists and dicts nest in it; 0 for scalars.
    int depth() const noexcept;
    /// Python's `is`.
    bool same_as(const Value& other) const;

  private:
    using Data = std::variant<std::shared_ptr<const UndefinedInfo>,
                              None,
                              bool,
                              std::int64_t,
                              double,
                              std::shared_ptr<const String>,
                              std::shared_ptr<const Sequence>,
                              std::shared_ptr<const Dict>,
                              std::shared_ptr<Object>>;
    explicit Value(Data data) : data_(std::move(data)) {}

    Data data_;
};

struct UndefinedInfo : Metered {
    explicit UndefinedInfo(std::string text)
        : Metered(sizeof(*this) + text.size()), message(std::move(text)) {}
    std::string message;
};

/// A str; its length is counted in code points. `safe` marks HTML (Python's Markup).
struct String : Metered {
    String(std::string value, bool is_safe);
    std::string text;
    std::size_t length;
    bool safe;
    bool ascii() const noexcept { return length == text.size(); }
};

/// A list or a tuple.
struct Sequence : Metered {
    Sequence(std::vector<Value> values, bool as_list);
    std::vector<Value> items;
    int depth;
    bool is_list;
    bool is_group = false;  ///< A tuple with the names grouper and list.
};

/// A dict: keeps the order of insertion. Filled while it is built, then shared as const.
class Dict : public Metered {
  public:
    using Entry = std::pair<Value, Value>;

    Dict() : Metered(sizeof(*this)) {}
    const std::vector<Entry>& entries() const noexcept { return entries_; }
    std::size_t size() const noexcept { return entries_.size(); }
    int depth() const noexcept { return depth_; }
    /// The value of a key, or nullptr. Keys that can't be hashed are never there.
    const Value* find(const Value& key) const;
    const Value* find(std::string_view key) const;
    /// Adds or replaces. False when the key can't be hashed (a list, a dict).
    bool set(const Value& key, Value value);
    void set(std::string_view key, Value value) {
        set(Value::string(std::string(key)), std::move(value));
    }

  private:
    std::optional<std::size_t> position(const Value& key, std::size_t hash) const;
    void index_entry(std::size_t position, std::size_t hash);

    std::vector<Entry> entries_;
    std::unordered_multimap<std::size_t, std::uint32_t>
        index_;  // hash → position; used from kIndexFrom entries on
    int depth_ = 1;
};

/// Python's ==.
bool equals(const Value& left, const Value& right);
/// Python's hash, such that equal values have equal hashes; nothing for lists and dicts.
std::optional<std::size_t> hash_of(const Value& value);
/// Python's < ; the error names both types when they can't be compared.
Result<bool> less_than(const Value& left, const Value& right);

}  // namespace notso::services::jinja

// Binds the arguments of a call to the parameters of a function of C++, as Python does.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "services/template/jinja/object.hpp"

namespace notso::services::jinja {

/// Arguments in the order of the parameters; what was not given is nullptr.
class BoundArgs {
  public:
    explicit BoundArgs(std::vector<const Value*> values) : values_(std::move(values)) {}
    bool has(std::size_t i) const { return values_[i] != nullptr; }
    /// Given and not none.
    bool set(std::size_t i) const { return has(i) && !values_[i]->is_none(); }
    const Value& operator[](std::size_t i) const { return *values_[i]; }
    bool truth(std::size_t i, bool otherwise) const {
        return has(i) ? values_[i]->truthy() : otherwise;
    }
    /// @errors kInvalidArgument when it is not an integer.
    Result<std::int64_t> integer(std::size_t i, std::int64_t otherwise) const;
    /// What Python takes as a C int and uses as a bool: no other type than int or bool will do.
    /// @errors kInvalidArgument when it is not one, or too large.
    Result<bool> flag(std::size_t i) const;
    /// @errors kInvalidArgument when it is not a string.
    Result<std::string> text(std::size_t i, std::string_view otherwise) const;

  private:
    std::vector<const Value*> values_;
};

/// What a function takes: its name for messages, its parameters, and how many must be given.
struct Signature {
    std::string_view function;
    std::initializer_list<std::string_view> parameters;
    std::size_t required = 0;
};

/// @errors kInvalidArgument for too many, unknown, doubled or missing arguments.
Result<BoundArgs> bind(const CallArgs& args, const Signature& signature);

}  // namespace notso::services::jinja

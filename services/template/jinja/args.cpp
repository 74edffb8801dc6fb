// Argument binding; see args.hpp.
#include "services/template/jinja/args.hpp"

#include <algorithm>

namespace notso::services::jinja {

Result<std::int64_t> BoundArgs::integer(std::size_t i, std::int64_t otherwise) const {
    if (!has(i)) return otherwise;
    if (values_[i]->is_integral()) return values_[i]->as_int();
    return fail(
        ErrorCode::kInvalidArgument, "expected an integer, got '{}'", values_[i]->type_name());
}

Result<bool> BoundArgs::flag(std::size_t i) const {
    NOTSO_TRY(const std::int64_t number, integer(i, 0));
    if (number > INT32_MAX || number < INT32_MIN)
        return fail(ErrorCode::kInvalidArgument, "{} is too large for true or false", number);
    return number != 0;
}

Result<std::string> BoundArgs::text(std::size_t i, std::string_view otherwise) const {
    if (!has(i)) return std::string(otherwise);
    if (values_[i]->is_string()) return std::string(values_[i]->text());
    return fail(
        ErrorCode::kInvalidArgument, "expected a string, got '{}'", values_[i]->type_name());
}

Result<BoundArgs> bind(const CallArgs& args, const Signature& signature) {
    const auto& names = signature.parameters;
    if (args.positional.size() > names.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    "{}() takes at most {} arguments, got {}",
                    signature.function,
                    names.size(),
                    args.positional.size());
    }
    std::vector<const Value*> values(names.size(), nullptr);
    for (std::size_t i = 0; i < args.positional.size(); ++i) values[i] = &args.positional[i];
    for (const auto& [name, value] : args.named) {
        const auto found = std::find(names.begin(), names.end(), name);
        const auto i = static_cast<std::size_t>(found - names.begin());
        if (found == names.end() || values[i] != nullptr) {
            const std::string_view problem = found == names.end() ? "doesn't know" : "got twice";
            return fail(ErrorCode::kInvalidArgument,
                        "{}() {} the argument '{}'",
                        signature.function,
                        problem,
                        name);
        }
        values[i] = &value;
    }
    for (std::size_t i = 0; i < signature.required; ++i) {
        if (values[i] != nullptr) continue;
        return fail(ErrorCode::kInvalidArgument,
                    "{}() needs the argument '{}'",
                    signature.function,
                    names.begin()[i]);
    }
    return BoundArgs(std::move(values));
}

}  // namespace notso::services::jinja

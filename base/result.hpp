// Result<T>: a value or an Error. Expected failures travel this way; exceptions only come from third parties.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <utility>

#include "base/error.hpp"

namespace notso {

template <class T = void>
using Result = std::expected<T, Error>;

/// Makes a failure, formatted: `return fail(ErrorCode::kNotFound, "no model at {}", path);`
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace notso

#define NOTSO_CONCAT_(a, b) a##b
#define NOTSO_CONCAT(a, b) NOTSO_CONCAT_(a, b)
#define NOTSO_TRY_(var, target, ...)                        \
    auto&& var = (__VA_ARGS__);                             \
    if (!var) return std::unexpected(std::move(var).error()); \
    target = *std::move(var)

/// `NOTSO_TRY(auto file, open(path));` assigns the value, or returns the error to the caller.
#define NOTSO_TRY(target, ...) NOTSO_TRY_(NOTSO_CONCAT(notso_try_, __COUNTER__), target, __VA_ARGS__)

/// `NOTSO_CHECK(write(file));` for Result<void>: returns the error to the caller.
#define NOTSO_CHECK(...)                                                          \
    do {                                                                          \
        if (auto notso_check = (__VA_ARGS__); !notso_check)                       \
            return std::unexpected(std::move(notso_check).error());               \
    } while (false)

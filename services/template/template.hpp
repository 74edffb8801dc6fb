// The Jinja engine: chat templates (from model files: hostile, so a sandbox with budgets) and the
// pages' templates.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services::jinja {

/// Budgets of one rendering; crossing one is an error with line and column.
struct Limits {
    std::size_t max_source_bytes = 256 * 1024;
    int max_depth = 150;  ///< Nesting of expressions and blocks while parsing.
    int max_calls = 200;  ///< Depth of macro calls, includes, recursion.
    std::int64_t max_steps = 5'000'000;
    std::size_t max_output_bytes = 4 * 1024 * 1024;  ///< Also of any text on the way.
    std::int64_t max_memory_bytes =
        64 * 1024 * 1024;  ///< Of all values at one time, the input not counted.
    std::int64_t max_range = 100'000;
    std::chrono::milliseconds max_time{250};
};

struct Options {
    bool auto_escape = false;  ///< Pages: every {{ }} is HTML-escaped unless marked safe.
    bool trim_blocks = true;   ///< As Hugging Face sets them for chat templates.
    bool lstrip_blocks = true;
    Limits limits = {};
    /// Source of a template named in extends/include; chat templates have none.
    std::function<std::optional<std::string>(std::string_view name)> loader = {};
};

/// Variables are JSON (objects keep their order); booleans, null, integers and doubles map to
/// Python's. `now` freezes strftime_now; absent = the current local time.
struct RenderInput {
    boost::json::object variables = {};
    std::optional<std::string> now = {};  ///< "2025-07-08T12:00:00"
};

/// A parsed template. Immutable; render() may run on several threads at once.
class Template {
  public:
    /// @errors kInvalidArgument with "line L, column C: …"; kTooLarge.
    static Result<std::shared_ptr<const Template>> parse(std::string_view source,
                                                         Options options = {});
    virtual ~Template() = default;

    /// @errors kInvalidArgument with line and column (also raise_exception), kTooLarge or kTimeout
    /// for budgets.
    virtual Result<std::string> render(const RenderInput& input) const = 0;
};

}  // namespace notso::services::jinja

// ToolBox: the tools that a conversation may use, and the threads they run on. It finds a tool by
// name, checks the arguments against its schema, runs it with limits, and always answers: a
// failure, a time-out and a cancelled call are answers too. It asks nobody for approval: the turn
// does, by ToolInfo::policy, before start().
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/tools/tool.hpp"

namespace notso::services {

/// A call as a model wrote it.
struct ToolCall {
    std::string name;
    std::string arguments;  ///< JSON text of an object; empty means {}.
};

/// Limits of every call, whatever the tool.
struct ToolLimits {
    std::size_t max_argument_bytes = 64 * 1024;
    std::size_t max_argument_depth = 64;
    std::size_t max_output_bytes = 32 * 1024;
    std::size_t max_threads = 16;  ///< Calls that run at once; started when needed.
    std::size_t max_waiting = 64;  ///< Further ones are refused at once.
    /// A tool that has not returned so long after its deadline is given up: its call is answered.
    std::chrono::milliseconds grace{2'000};
};

class ToolCrew;

using ToolPtr = std::shared_ptr<const Tool>;

/// Tools that come and go (those of an MCP server). Thread-safe; never blocks for long.
class ToolSource {
  public:
    ToolSource() = default;
    ToolSource(const ToolSource&) = delete;
    ToolSource& operator=(const ToolSource&) = delete;
    virtual ~ToolSource() = default;

    virtual std::vector<ToolPtr> tools() const = 0;
};

/// Called exactly once: on a thread of the box, or within start() where nothing is to be run.
using ToolDone = std::move_only_function<void(ToolOutput)>;

/// Thread-safe.
class ToolBox {
  public:
    /// @param tools    Fixed ones, in the order in which models see them.
    /// @param sources  Asked whenever tools are listed; their tools stand behind the fixed ones.
    explicit ToolBox(std::vector<ToolPtr> tools,
                     std::vector<std::shared_ptr<const ToolSource>> sources = {},
                     ToolLimits limits = {});
    ToolBox(const ToolBox&) = delete;
    ToolBox& operator=(const ToolBox&) = delete;
    /// Stops what runs, answers everything, joins.
    ~ToolBox();

    /// Every tool of the moment; of several with one name, the first.
    std::vector<ToolPtr> list() const;
    /// Null: there is none.
    ToolPtr find(std::string_view name) const;
    /// The `tools` array of the OpenAI API; `names` empty = all, else those of them that exist.
    boost::json::array openai_tools(std::span<const std::string> names = {}) const;

    /// The arguments of a call, read and checked: before a person is asked, or to see what is
    /// wrong.
    /// @errors kNotFound: no such tool. kInvalidArgument, kTooLarge: what is wrong with which
    ///         argument, in words for the model.
    Result<boost::json::object> check(const ToolCall& call) const;

    /// Runs a call on a thread of the box. Never fails, never blocks: what goes wrong is a
    /// ToolOutput with is_error. The output is well-formed UTF-8 within max_output_bytes.
    /// @param context  `stop` answers the call at once, also where the tool takes a moment to end;
    ///                 `deadline` may only shorten ToolInfo::timeout, which counts from here.
    void start(ToolCall call, ToolContext context, ToolDone done);
    /// The same on the calling thread, without waiting for a place.
    ToolOutput run(const ToolCall& call, const ToolContext& context) const;

  private:
    struct Checked {
        ToolPtr tool;
        boost::json::object arguments;
    };
    Result<Checked> find_and_check(const ToolCall& call) const;
    ToolOutput run_checked(const Checked& checked, ToolContext context) const;

    std::vector<ToolPtr> tools_;
    std::vector<std::shared_ptr<const ToolSource>> sources_;
    ToolLimits limits_;
    std::unique_ptr<ToolCrew> crew_;
};

}  // namespace notso::services

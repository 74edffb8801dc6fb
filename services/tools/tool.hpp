// Tool: something that a model may call by name. What it is told of (name, description, JSON schema
// of the arguments), what it may do (policy), and run(). It knows nothing of chats, prompts or the
// page: who calls it, asks the person and shows the result is the turn's part; threads, limits and
// time-outs are the ToolBox's.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "services/tools/attachments.hpp"
#include "services/tools/note_book.hpp"

namespace notso::services {

/// May a model have it run, or does a person decide?
enum class ToolPolicy : std::uint8_t {
    kRunsFreely,  ///< It only computes, or reads what the conversation has.
    kAsksFirst,   ///< It acts, or sends text somewhere: asked for, unless always allowed.
};

/// What is known of a tool before it runs; never changes.
struct ToolInfo {
    std::string name;         ///< For the model: 1 to 64 of [A-Za-z0-9_-].
    std::string title;        ///< For people, as in "Using Calculator…".
    std::string description;  ///< For the model: what it does, when to use it.
    /// JSON schema of the arguments, an object schema as the OpenAI API has it.
    boost::json::object parameters;
    ToolPolicy policy = ToolPolicy::kRunsFreely;
    /// Not empty: arguments leave this program, to there (a host, or the name of a local server).
    /// Whoever shows a call must say so.
    std::string sends_to = {};
    std::chrono::milliseconds timeout{10'000};  ///< The longest that a call may take.
};

/// What a call gave. A failure is an answer too: it tells the model what was wrong.
struct ToolOutput {
    std::string text;       ///< For the model and for people. Untrusted: it may come from anywhere.
    bool is_error = false;  ///< `text` says what went wrong and what to do instead.

    bool operator==(const ToolOutput&) const = default;
};

/// How far a running call is, for people.
struct ToolProgress {
    double done = 0;
    double total = 0;  ///< 0 = not known.
    std::string text = {};
};

/// Around one call. Tools use it from their own threads, for a moment even after the call was
/// answered: so it owns what it points to.
struct ToolContext {
    std::string conversation_id = {};
    std::shared_ptr<NoteBook> notes = {};               ///< None: nobody can keep notes here.
    std::shared_ptr<AttachmentShelf> attachments = {};  ///< None: nothing is attached.
    std::string time_zone = "UTC";                      ///< IANA name, of the person who asks.
    std::function<UnixMs()> now = now_ms;
    /// The caller no longer wants it, or its time is up: run() returns soon.
    std::stop_token stop = {};
    /// run() returns by then. Set by the ToolBox.
    SteadyClock::time_point deadline = SteadyClock::time_point::max();
    /// May be empty; called on the tool's thread, never after the call was answered.
    std::function<void(const ToolProgress&)> on_progress = {};
};

class Tool {
  public:
    Tool() = default;
    Tool(const Tool&) = delete;
    Tool& operator=(const Tool&) = delete;
    virtual ~Tool() = default;

    virtual const ToolInfo& info() const = 0;

    /// Does it, on the calling thread, and returns by context.deadline or soon after context.stop.
    /// Several calls may run at once.
    /// @param arguments  Have been checked against info().parameters.
    /// @errors Any. The ToolBox makes an answer to the model of it: the detail says what to do.
    virtual Result<ToolOutput> run(const boost::json::object& arguments,
                                   const ToolContext& context) const = 0;
};

}  // namespace notso::services

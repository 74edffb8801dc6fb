// ChatBackend: whatever answers a chat. Local engine, remote server, scripted stub: the callers can't tell.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "services/backend/thinking_end.hpp"
#include "services/schema/answer_form.hpp"

namespace notso::services {

/// One message as a chat template sees it. Content parts are flattened before they get here.
struct ChatMessage {
    std::string role;  ///< system, user, assistant, tool
    std::string content;
    std::optional<std::string> name = {};
    std::optional<std::string> tool_call_id = {};
    boost::json::array tool_calls = {};  ///< As in the OpenAI API.
};

/// What the caller wants to change; absent fields take the model's defaults.
struct SamplingSettings {
    std::optional<double> temperature = {};
    std::optional<double> top_p = {};
    std::optional<double> min_p = {};
    std::optional<std::int64_t> top_k = {};
    std::optional<double> repeat_penalty = {};
    std::optional<double> presence_penalty = {};
    std::optional<double> frequency_penalty = {};
    std::optional<std::uint64_t> seed = {};
    std::vector<std::pair<std::int64_t, double>> logit_bias = {};  ///< Token id, bias.
};

/// Who goes first when not all can run; background work only runs when nobody waits.
enum class ChatPriority : std::uint8_t { kInteractive, kApi, kBackground };

/// Whether the model has to call a tool.
struct ToolChoice {
    enum class Kind : std::uint8_t { kAuto, kRequired, kFunction };
    Kind kind = Kind::kAuto;
    std::string name = {};  ///< For kFunction: the one that is called, once.
};

/// An answer that was cut: what stands of it.
struct WrittenAnswer {
    std::string thinking = {};
    std::string text = {};
    /// Its tokens, of the model that goes on with it. Empty where they are not known: then the texts count.
    std::vector<std::int32_t> tokens = {};

    bool empty() const { return thinking.empty() && text.empty() && tokens.empty(); }
};

struct ChatRequest {
    std::vector<ChatMessage> messages;
    std::string model = {};  ///< An id of ChatBackend::models(); empty = the default.
    boost::json::array tools = {};
    ToolChoice tool_choice = {};
    bool parallel_tool_calls = true;  ///< False: the answer ends with its first call.
    bool thinking = false;
    /// Most tokens for thoughts, 0 = none; absent = no limit. At the end of it thoughts are closed and the answer
    /// goes on.
    std::optional<std::int64_t> thinking_budget = {};
    /// True when the caller's switch decides: /think and /no_think flags in the system text are removed first.
    bool thinking_overrides_system = false;
    SamplingSettings sampling = {};
    std::int64_t max_tokens = 0;             ///< 0 = what the context leaves.
    std::vector<std::string> stop = {};      ///< Text that ends the answer; it is not delivered.
    bool logprobs = false;
    std::int32_t top_logprobs = 0;
    std::optional<std::string> date = {};    ///< Frozen "today", "2025-07-08T12:00:00"; absent = now.
    boost::json::object template_variables = {};  ///< Extra variables (chat_template_kwargs).
    std::uint64_t user = 0;  ///< Whose request it is, any number: users take turns.
    ChatPriority priority = ChatPriority::kInteractive;
    bool quiet = false;      ///< Half of the processor is enough; see ml::GenerationRequest.
    AnswerForm form = {};    ///< What the answer (not its thoughts) must look like.
    bool read_only = false;  ///< The prompt is read ahead for a later request; nothing is written.
    /// What was written of the answer before: the rest goes on exactly behind it, in the state (thoughts, calls,
    /// grammar, sampler) that it was left in. See chat_event::Resumed. Not with raw_prompt.
    std::optional<WrittenAnswer> written = {};
    /// When set, `messages` is ignored and this text is continued as it is (no template). Control tokens stay text.
    std::optional<std::string> raw_prompt = {};
};

enum class ChatFinish {
    kStop,
    kLength,
    kCancelled,
    kError,
    kToolCalls,  ///< A natural end after calls, which wait for their results.
};

struct ChatUsage {
    std::int64_t prompt_tokens = 0;
    std::int64_t cached_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::int64_t reasoning_tokens = 0;
    std::int64_t draft_tokens = 0;     ///< Guessed ahead.
    std::int64_t accepted_tokens = 0;  ///< Of those, confirmed.
    double queued_ms = 0;
    double prefill_ms = 0;
    double decode_ms = 0;
};

struct TokenChance {
    std::string bytes;
    double logprob = 0;
};
struct TokenLogprobs {
    TokenChance chosen;
    std::vector<TokenChance> top;
};

namespace chat_event {
struct Queued { std::int64_t position = 0, wait_ms = 0; };   ///< Requests ahead; about how long, 0 = unknown.
struct Prefill { std::int64_t done = 0, total = 0; };       ///< Prompt tokens read.
struct ThinkingStarted {};
struct ThinkingText { std::string text; };                  ///< Well-formed UTF-8, never empty.
struct ThinkingEnded { ThinkingEndReason reason = ThinkingEndReason::kModel; };
struct Text { std::string text; std::vector<TokenLogprobs> logprobs = {}; };  ///< Well-formed UTF-8.
/// A call of a tool: Begun, Arguments (pieces of one JSON object), Done. Only calls that are whole and name a tool of
/// the request are told; anything else that a model writes is Text. Calls of one answer count from 0.
struct ToolCallBegun {
    std::int64_t index = 0;
    std::string id;
    std::string name;
};
struct ToolCallArguments { std::int64_t index = 0; std::string text; };
struct ToolCallDone { std::int64_t index = 0; };
struct Progress {                                           ///< With every token, also those that gave no text yet.
    std::int64_t completion_tokens = 0;
    std::int32_t token_id = -1;                             ///< -1 where the backend has no ids (stub, remote).
};
/// Of a request with `written`: the events before this one (Queued and Prefill aside) told again what was written;
/// what follows is new. Tokens count from the answer's beginning.
struct Resumed {};
struct End {                                                ///< Last event, exactly once.
    ChatFinish finish = ChatFinish::kStop;
    std::optional<Error> error = {};
    ChatUsage usage = {};
};
}  // namespace chat_event

using ChatEvent = std::variant<chat_event::Queued, chat_event::Prefill, chat_event::ThinkingStarted,
                               chat_event::ThinkingText, chat_event::ThinkingEnded, chat_event::Text,
                               chat_event::ToolCallBegun, chat_event::ToolCallArguments, chat_event::ToolCallDone,
                               chat_event::Progress, chat_event::Resumed, chat_event::End>;

/// Called in order on a thread of the backend's own; must return at once. Events after End don't exist.
using ChatEventHandler = std::move_only_function<void(ChatEvent)>;

/// A running answer. Destroying it cancels; End still arrives.
class ChatStream {
  public:
    virtual ~ChatStream() = default;
    virtual void cancel() = 0;
    /// Thoughts end as soon as they can, those that have not begun too; the answer follows. Any thread.
    /// @return False where the backend can't: its thoughts go on.
    virtual bool answer_now() { return false; }
};

struct ModelInfo {
    std::string id;          ///< Shown in the API, e.g. "SmolLM2-135M-Instruct.Q4_1"
    std::string name;        ///< For people, e.g. "SmolLM2 135M Instruct"
    std::string file_type;   ///< e.g. "Q4_1"; empty for remote and stub
    std::string architecture;
    std::int64_t context_length = 0;
    std::uint64_t n_parameters = 0;
    std::uint64_t weight_bytes = 0;
    bool can_think = false;  ///< The vocabulary or the template knows a thinking mode.
    bool can_call_tools = false;
    bool scripted = false;   ///< The stub: the page must say so.
    /// Not empty: what people write leaves this program, to this host. Whoever shows a model must say so.
    std::string remote_host = {};
};

enum class HealthState { kLoading, kReady, kFailed };
struct Health {
    HealthState state = HealthState::kLoading;
    double load_progress = 0;   ///< 0..1 while loading
    std::string memory = {};    ///< What the model takes, for people; empty until it is known.
    std::string detail = {};    ///< For kFailed: what, where, what to do.
    std::int64_t running = 0;
    std::int64_t waiting = 0;
    bool full = false;   ///< A request would be refused now, whoever sends it.
    double wait_ms = 0;  ///< About how long a new request would wait; 0 = not at all, or not known.
    std::uint64_t kv_bytes = 0;         ///< Keys and values in memory; 0 where there are none.
    std::uint64_t kv_held_bytes = 0;    ///< Of those, kept for later requests.
    std::uint64_t kv_budget_bytes = 0;  ///< What they may take.
    std::uint64_t preemptions = 0;      ///< Requests that had to give their memory to others.
};

/// Where a model is that requests may name.
enum class ModelPlace {
    kOnDisk,   ///< Loaded when it is asked for.
    kLoading,
    kReady,
    kFailed,   ///< The last try to load it failed.
};

struct ModelEntry {
    ModelInfo info;
    ModelPlace place = ModelPlace::kReady;
    double load_progress = 0;        ///< 0..1 while loading.
    std::uint64_t file_bytes = 0;    ///< 0 = not known.
    std::uint64_t memory_bytes = 0;  ///< With a full context; 0 = not known.
    std::string detail = {};         ///< For kFailed: what, where, what to do.
};

class ChatBackend {
  public:
    virtual ~ChatBackend() = default;

    /// Begins an answer. Templating and tokenising happen on the calling thread (call from a worker when long).
    /// @errors kUnavailable while loading, kOverloaded, kContextLength, kInvalidArgument; kUnsupported where it can't
    /// go on with `written`. Then no event arrives.
    virtual Result<std::unique_ptr<ChatStream>> start(const ChatRequest& request, ChatEventHandler handler) = 0;

    /// Prompt tokens that `request` would take, `written` aside. @errors as start().
    virtual Result<std::int64_t> count_tokens(const ChatRequest& request) = 0;

    /// The default model.
    virtual ModelInfo info() const = 0;
    virtual Health health() const = 0;

    /// Every model that a request may name, the default first. A backend with one model has it alone.
    virtual std::vector<ModelEntry> models() const { return {{.info = info()}}; }
    /// The model that a request with this name gets; empty = the default. A backend with one model gives it to
    /// everybody. @errors kNotFound naming those that there are.
    virtual Result<ModelInfo> find_model(const std::string& /*name*/) const { return info(); }
    /// Models were installed or removed: what models() lists is read again, soon.
    virtual void refresh() {}
};

}  // namespace notso::services

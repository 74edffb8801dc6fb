// RemoteAnswer: turns the bytes of an OpenAI-compatible stream into chat events. Pure: no sockets,
// no threads; one per attempt.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/backend/sse_parser.hpp"
#include "services/backend/think_splitter.hpp"
#include "services/prompt/offered_tools.hpp"

namespace notso::services {

/// What an error body or an `error` event of such a server says, made fit for people: quoted, one
/// line, bounded. Empty when it says nothing. @param value  The whole body, or what stands under
/// "error".
std::string remote_error_text(const boost::json::value& value);

/// Parses JSON from outside: bad UTF-8 becomes U+FFFD, depth is bounded. @errors kCorruptData.
Result<boost::json::value> parse_remote_json(std::string_view text);

class RemoteAnswer {
  public:
    /// @param handler  Gets every event but End; must outlive this.
    /// @param host     How messages call the server.
    /// @param tools    What was offered; calls of anything else are shown as text.
    RemoteAnswer(ChatEventHandler& handler, std::string host, std::vector<OfferedTool> tools = {})
        : handler_(handler), host_(std::move(host)), tools_(std::move(tools)) {}

    /// Adds bytes of the stream. @return False once nothing more is wanted: [DONE], or an error.
    bool push(std::string_view bytes);
    /// The stream is over. Delivers what was held back.
    /// @param broken  Why it is over, when that was no regular end of the connection.
    /// @return How the answer ended: an error unless the server said that it is complete.
    chat_event::End finish(std::optional<Error> broken);

    /// Something was shown: the request must not be sent again.
    bool started() const noexcept { return started_; }
    /// The server itself said that it failed, or sent what can't be read.
    bool said_error() const noexcept { return error_.has_value(); }

  private:
    bool on_data(std::string_view data);
    void on_choice(const boost::json::object& choice);
    void on_delta(const boost::json::object& delta, const boost::json::object& choice);
    void on_tool_calls(const boost::json::array& calls);
    void on_usage(const boost::json::object& usage);
    void on_finish_reason(std::string_view reason);
    void show_thinking(std::string text);
    void show_text(std::string text, std::vector<TokenLogprobs> logprobs = {});
    void count_token();
    void deliver_tool_calls();
    bool give_up(ErrorCode code, std::string_view what);

    ChatEventHandler& handler_;
    const std::string host_;
    const std::vector<OfferedTool> tools_;
    SseParser parser_;
    ThinkSplitter splitter_;
    std::optional<Error> error_;
    std::optional<ChatFinish> finish_;  // as the server said
    bool done_ = false;                 // [DONE] came
    bool started_ = false;
    bool thinking_ = false;  // ThinkingStarted was sent, ThinkingEnded not yet
    ChatUsage usage_;
    std::int64_t pieces_ = 0;  // of text and thinking: about the number of tokens
    SteadyClock::time_point began_ = SteadyClock::now();
    std::optional<SteadyClock::time_point> first_token_;

    struct ToolCall {
        std::string id;
        std::string name;
        std::string arguments;
    };
    std::int64_t n_calls_ = 0;  // told as calls
    std::map<std::int64_t, ToolCall> tool_calls_;
    std::size_t tool_bytes_ = 0;
};

}  // namespace notso::services

// What the OpenAI API says back: chunks of a stream, and the whole answer, from the same events.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/backend/chat_backend.hpp"
#include "web/http/message.hpp"

namespace notso::web {

enum class ReplyKind { kChat, kCompletion };

/// What stays the same in all chunks of one answer.
struct ReplyHead {
    ReplyKind kind = ReplyKind::kChat;
    std::string id;
    std::int64_t created = 0;  ///< Unix seconds.
    std::string model;
    bool include_usage = false;
    bool logprobs = false;
};

/// A new id and time.
ReplyHead make_reply_head(ReplyKind kind, std::string model);

/// Writes the `data:` lines of a stream.
class ChunkWriter {
  public:
    explicit ChunkWriter(ReplyHead head) : head_(std::move(head)) {}

    /// The first chunk: the role (nothing for plain completions).
    std::string first() const;
    /// The chunks of some events; text that arrived together goes out together. May be empty.
    std::string write(std::vector<services::ChatEvent> events);
    /// End was written: the last chunks, or an error.
    bool ended() const { return ended_; }

  private:
    std::string delta(std::string_view field,
                      std::string_view text,
                      const boost::json::value& logprobs) const;
    std::string call_delta(const services::ChatEvent& next) const;
    std::string chunk(boost::json::object choice) const;
    std::string data(boost::json::object object) const;
    void end(const services::chat_event::End& end, std::string& out);

    ReplyHead head_;
    bool ended_ = false;
};

/// Gathers a whole answer.
class ReplyCollector {
  public:
    explicit ReplyCollector(ReplyHead head) : head_(std::move(head)) {}

    void add(std::vector<services::ChatEvent> events);
    bool ended() const { return end_.has_value(); }
    /// The response, or the error that ended the answer.
    Response response() const;

  private:
    boost::json::array calls_json() const;

    ReplyHead head_;
    std::string thinking_;
    std::string text_;
    struct Call {
        std::string id;
        std::string name;
        std::string arguments;
    };
    std::vector<Call> calls_;
    std::vector<services::TokenLogprobs> logprobs_;
    std::optional<services::chat_event::End> end_;
};

}  // namespace notso::web

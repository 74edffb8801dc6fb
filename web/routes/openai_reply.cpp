#include "web/routes/openai_reply.hpp"

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/utf8.hpp"
#include "web/middleware/error_mapping.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
namespace event = services::chat_event;
using services::ChatEvent;
using services::ChatFinish;
using services::TokenChance;
using services::TokenLogprobs;

json::object chance_json(const TokenChance& chance) {
    json::array bytes;
    for (const char c : chance.bytes)
        bytes.push_back(static_cast<std::int64_t>(static_cast<unsigned char>(c)));
    return {{"token", repair_utf8(chance.bytes)},
            {"logprob", chance.logprob},
            {"bytes", std::move(bytes)}};
}

json::value logprobs_json(const std::vector<TokenLogprobs>& tokens) {
    if (tokens.empty()) return nullptr;
    json::array content;
    for (const TokenLogprobs& token : tokens) {
        json::object entry = chance_json(token.chosen);
        json::array top;
        for (const TokenChance& chance : token.top) top.push_back(chance_json(chance));
        entry["top_logprobs"] = std::move(top);
        content.push_back(std::move(entry));
    }
    return json::object{{"content", std::move(content)}, {"refusal", nullptr}};
}

json::object usage_json(const services::ChatUsage& usage) {
    return {{"prompt_tokens", usage.prompt_tokens},
            {"completion_tokens", usage.completion_tokens},
            {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
            {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
            {"completion_tokens_details",
             {{"reasoning_tokens", usage.reasoning_tokens},
              {"accepted_prediction_tokens", usage.accepted_tokens},
              {"rejected_prediction_tokens", usage.draft_tokens - usage.accepted_tokens}}}};
}

/// Why an answer has no regular end, if it has none.
std::optional<Error> failure_of(const event::End& end) {
    const bool regular = end.finish == ChatFinish::kStop || end.finish == ChatFinish::kLength ||
                         end.finish == ChatFinish::kToolCalls;
    if (regular) return std::nullopt;
    if (end.error) return end.error;
    if (end.finish == ChatFinish::kCancelled)
        return Error{ErrorCode::kUnavailable, "the server ended the answer"};
    return Error{ErrorCode::kInternal, "the answer failed"};
}

std::string_view finish_reason(const event::End& end) {
    if (end.finish == ChatFinish::kToolCalls) return "tool_calls";
    return end.finish == ChatFinish::kLength ? "length" : "stop";
}

std::string_view object_name(ReplyKind kind, bool chunk) {
    if (kind == ReplyKind::kCompletion) return "text_completion";
    return chunk ? "chat.completion.chunk" : "chat.completion";
}

json::object envelope(const ReplyHead& head, bool chunk) {
    return {{"id", head.id},
            {"object", object_name(head.kind, chunk)},
            {"created", head.created},
            {"model", head.model}};
}

/// Joins neighbours of the same kind, so that a burst of tokens is one chunk.
template <class T>
bool join(std::vector<ChatEvent>& joined, const T& next) {
    T* last = joined.empty() ? nullptr : std::get_if<T>(&joined.back());
    if (last == nullptr) return false;
    last->text += next.text;
    if constexpr (std::is_same_v<T, event::Text>) {
        last->logprobs.insert(last->logprobs.end(), next.logprobs.begin(), next.logprobs.end());
    }
    return true;
}

std::vector<ChatEvent> join_texts(std::vector<ChatEvent> events) {
    std::vector<ChatEvent> joined;
    for (ChatEvent& next : events) {
        if (const auto* text = std::get_if<event::Text>(&next)) {
            if (!join(joined, *text)) joined.push_back(std::move(next));
        } else if (const auto* thought = std::get_if<event::ThinkingText>(&next)) {
            if (!join(joined, *thought)) joined.push_back(std::move(next));
        } else if (std::holds_alternative<event::End>(next) ||
                   std::holds_alternative<event::ToolCallBegun>(next) ||
                   std::holds_alternative<event::ToolCallArguments>(next)) {
            joined.push_back(std::move(next));
        }
    }
    return joined;
}

}  // namespace

ReplyHead make_reply_head(ReplyKind kind, std::string model) {
    ReplyHead head;
    head.kind = kind;
    head.id = (kind == ReplyKind::kChat ? "chatcmpl-" : "cmpl-") + random_id();
    head.created = now_ms() / 1000;
    head.model = std::move(model);
    return head;
}

std::string ChunkWriter::data(json::object object) const {
    return "data: " + json::serialize(object) + "\n\n";
}

std::string ChunkWriter::chunk(json::object choice) const {
    json::object object = envelope(head_, true);
    object["choices"] = json::array{std::move(choice)};
    if (head_.include_usage) object["usage"] = nullptr;
    return data(std::move(object));
}

/// `index` in every one, id and name once, the arguments in pieces of one JSON text.
std::string ChunkWriter::call_delta(const ChatEvent& next) const {
    json::object call;
    if (const auto* begun = std::get_if<event::ToolCallBegun>(&next)) {
        call = {{"index", begun->index},
                {"id", begun->id},
                {"type", "function"},
                {"function", {{"name", begun->name}, {"arguments", ""}}}};
    } else if (const auto* arguments = std::get_if<event::ToolCallArguments>(&next)) {
        call = {{"index", arguments->index}, {"function", {{"arguments", arguments->text}}}};
    }
    if (call.empty() || head_.kind != ReplyKind::kChat) return {};
    return chunk({{"index", 0},
                  {"delta", {{"tool_calls", json::array{std::move(call)}}}},
                  {"logprobs", nullptr},
                  {"finish_reason", nullptr}});
}

std::string ChunkWriter::delta(std::string_view field,
                               std::string_view text,
                               const json::value& logprobs) const {
    json::object choice = {{"index", 0}};
    if (head_.kind == ReplyKind::kCompletion) {
        choice["text"] = text;
    } else {
        choice["delta"] = json::object{{field, text}};
    }
    choice["logprobs"] = logprobs;
    choice["finish_reason"] = nullptr;
    return chunk(std::move(choice));
}

std::string ChunkWriter::first() const {
    if (head_.kind == ReplyKind::kCompletion) return {};
    const json::object role = {{"role", "assistant"}, {"content", ""}};
    return chunk(
        {{"index", 0}, {"delta", role}, {"logprobs", nullptr}, {"finish_reason", nullptr}});
}

std::string ChunkWriter::write(std::vector<ChatEvent> events) {
    std::string out;
    for (const ChatEvent& next : join_texts(std::move(events))) {
        if (const auto* text = std::get_if<event::Text>(&next)) {
            const json::value logprobs = head_.logprobs ? logprobs_json(text->logprobs) : nullptr;
            if (!text->text.empty() || !logprobs.is_null())
                out += delta("content", text->text, logprobs);
        } else if (const auto* thought = std::get_if<event::ThinkingText>(&next)) {
            if (head_.kind == ReplyKind::kChat)
                out += delta("reasoning_content", thought->text, nullptr);
        } else if (const auto* last = std::get_if<event::End>(&next)) {
            end(*last, out);
        } else {
            out += call_delta(next);
        }
    }
    return out;
}

void ChunkWriter::end(const event::End& end, std::string& out) {
    ended_ = true;
    if (const auto failure = failure_of(end)) {
        out += "data: " + api_error_json(http_status(failure->code), *failure) + "\n\n";
        return;
    }
    json::object choice = {{"index", 0}};
    if (head_.kind == ReplyKind::kCompletion) {
        choice["text"] = "";
    } else {
        choice["delta"] = json::object();
    }
    choice["logprobs"] = nullptr;
    choice["finish_reason"] = finish_reason(end);
    out += chunk(std::move(choice));
    if (head_.include_usage) {
        json::object object = envelope(head_, true);
        object["choices"] = json::array();
        object["usage"] = usage_json(end.usage);
        out += data(std::move(object));
    }
    out += "data: [DONE]\n\n";
}

void ReplyCollector::add(std::vector<ChatEvent> events) {
    for (ChatEvent& next : events) {
        if (auto* text = std::get_if<event::Text>(&next)) {
            text_ += text->text;
            logprobs_.insert(logprobs_.end(), text->logprobs.begin(), text->logprobs.end());
        } else if (const auto* thought = std::get_if<event::ThinkingText>(&next)) {
            thinking_ += thought->text;
        } else if (const auto* begun = std::get_if<event::ToolCallBegun>(&next)) {
            calls_.push_back({begun->id, begun->name, {}});
        } else if (const auto* arguments = std::get_if<event::ToolCallArguments>(&next)) {
            if (!calls_.empty()) calls_.back().arguments += arguments->text;
        } else if (auto* last = std::get_if<event::End>(&next)) {
            end_ = std::move(*last);
        }
    }
}

json::array ReplyCollector::calls_json() const {
    json::array calls;
    for (const Call& call : calls_) {
        calls.push_back(
            json::object{{"id", call.id},
                         {"type", "function"},
                         {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    return calls;
}

Response ReplyCollector::response() const {
    const event::End end = end_.value_or(event::End{ChatFinish::kError, std::nullopt, {}});
    if (const auto failure = failure_of(end)) return api_error(*failure);
    json::object choice = {{"index", 0}};
    if (head_.kind == ReplyKind::kCompletion) {
        choice["text"] = text_;
    } else {
        json::object message = {{"role", "assistant"}, {"content", text_}, {"refusal", nullptr}};
        if (!thinking_.empty()) message["reasoning_content"] = thinking_;
        if (!calls_.empty()) message["tool_calls"] = calls_json();
        if (!calls_.empty() && text_.empty()) message["content"] = nullptr;
        choice["message"] = std::move(message);
    }
    choice["logprobs"] = head_.logprobs ? logprobs_json(logprobs_) : nullptr;
    choice["finish_reason"] = finish_reason(end);
    json::object object = envelope(head_, false);
    object["choices"] = json::array{std::move(choice)};
    object["usage"] = usage_json(end.usage);
    Response response;
    response.content_type = "application/json";
    response.body = json::serialize(object);
    return response;
}

}  // namespace notso::web

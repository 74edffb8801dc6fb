// Everything a server sends is optional and may be of any type: fields that make no sense are
// skipped.
#include "services/backend/remote_answer.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/utf8.hpp"
#include "services/backend/tool_call_text.hpp"
#include "services/prompt/tool_texts.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxJsonDepth = 32;
constexpr std::size_t kMaxToolCalls = 128;
constexpr std::size_t kMaxToolBytes = 1024 * 1024;
constexpr std::size_t kMaxTopLogprobs = 20;

const json::object* object_at(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

const json::array* array_at(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    return value == nullptr ? nullptr : value->if_array();
}

std::string string_at(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string() : std::string(*text);
}

/// A count that makes sense; otherwise 0.
std::int64_t count_at(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    const std::int64_t* count = value == nullptr ? nullptr : value->if_int64();
    return count == nullptr ? 0 : std::clamp<std::int64_t>(*count, 0, std::int64_t{1} << 40);
}

TokenChance chance_of(const json::object& from) {
    TokenChance chance;
    if (const json::value* value = from.if_contains("logprob");
        value != nullptr && value->is_number())
        chance.logprob = value->to_number<double>();
    const json::array* bytes = array_at(from, "bytes");
    if (bytes == nullptr) {
        chance.bytes = string_at(from, "token");
        return chance;
    }
    for (const json::value& byte : *bytes) {
        const std::int64_t* value = byte.if_int64();
        if (value != nullptr && *value >= 0 && *value <= 255)
            chance.bytes.push_back(static_cast<char>(*value));
    }
    return chance;
}

std::vector<TokenLogprobs> logprobs_of(const json::object& choice) {
    std::vector<TokenLogprobs> out;
    const json::object* logprobs = object_at(choice, "logprobs");
    const json::array* content = logprobs == nullptr ? nullptr : array_at(*logprobs, "content");
    if (content == nullptr) return out;
    for (const json::value& entry : *content) {
        if (!entry.is_object()) continue;
        TokenLogprobs token{.chosen = chance_of(entry.get_object()), .top = {}};
        if (const json::array* top = array_at(entry.get_object(), "top_logprobs")) {
            for (const json::value& other : *top) {
                if (other.is_object() && token.top.size() < kMaxTopLogprobs)
                    token.top.push_back(chance_of(other.get_object()));
            }
        }
        out.push_back(std::move(token));
    }
    return out;
}

}  // namespace

Result<json::value> parse_remote_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = kMaxJsonDepth;
    boost::system::error_code error;
    json::value value = json::parse(repair_utf8(text), error, {}, options);
    if (error) return fail(ErrorCode::kCorruptData, "it is not JSON: {}", error.message());
    return value;
}

std::string remote_error_text(const json::value& value) {
    if (const json::string* text = value.if_string())
        return text->empty() ? std::string() : log::field(*text);
    const json::object* object = value.if_object();
    if (object == nullptr) return {};
    for (const std::string_view name : {"error", "message", "detail", "code"}) {
        const json::value* member = object->if_contains(name);
        if (member == nullptr || (name != "error" && !member->is_string())) continue;
        if (std::string text = remote_error_text(*member); !text.empty()) return text;
    }
    return {};
}

bool RemoteAnswer::push(std::string_view bytes) {
    const auto pushed =
        parser_.push(bytes, [this](std::string_view data) { return on_data(data); });
    if (!pushed) give_up(pushed.error().code, "sent too much at once: " + pushed.error().detail);
    return !done_ && !error_;
}

/// The first reason counts.
bool RemoteAnswer::give_up(ErrorCode code, std::string_view what) {
    if (!error_) error_ = Error{code, fmt::format("the server {} {}", host_, what)};
    return false;
}

bool RemoteAnswer::on_data(std::string_view data) {
    if (data == "[DONE]") {
        done_ = true;
        return false;
    }
    auto parsed = parse_remote_json(data);
    const json::object* chunk = parsed ? parsed->if_object() : nullptr;
    if (chunk == nullptr) {
        return give_up(ErrorCode::kCorruptData,
                       "sent what no client can read; check that its address is that of an "
                       "OpenAI-compatible server");
    }
    const json::value* failed = chunk->if_contains("error");
    if (failed != nullptr && !failed->is_null()) {
        const std::string text = remote_error_text(*failed);
        return give_up(
            ErrorCode::kUnavailable,
            text.empty() ? "broke off with an error" : "broke off with an error: " + text);
    }
    if (const json::object* usage = object_at(*chunk, "usage")) on_usage(*usage);
    const json::array* choices = array_at(*chunk, "choices");
    if (choices == nullptr) return true;
    for (const json::value& choice : *choices) {
        if (choice.is_object() && count_at(choice.get_object(), "index") == 0)
            on_choice(choice.get_object());
    }
    return true;
}

void RemoteAnswer::on_choice(const json::object& choice) {
    if (const json::object* delta = object_at(choice, "delta")) {
        on_delta(*delta, choice);
    } else if (std::string text = string_at(choice, "text"); !text.empty()) {
        count_token();
        show_text(std::move(text));
    }
    if (const std::string reason = string_at(choice, "finish_reason"); !reason.empty())
        on_finish_reason(reason);
}

void RemoteAnswer::on_delta(const json::object& delta, const json::object& choice) {
    std::string thinking = string_at(delta, "reasoning_content");
    if (thinking.empty()) thinking = string_at(delta, "reasoning");
    const std::string content = string_at(delta, "content");
    auto logprobs = logprobs_of(choice);
    if (!thinking.empty() || !content.empty()) count_token();
    show_thinking(std::move(thinking));
    ThinkSplitter::Parts parts = splitter_.push(content);
    show_thinking(std::move(parts.thinking));
    show_text(std::move(parts.text), std::move(logprobs));
    if (const json::array* calls = array_at(delta, "tool_calls")) on_tool_calls(*calls);
}

void RemoteAnswer::on_tool_calls(const json::array& calls) {
    for (const json::value& value : calls) {
        const json::object* call = value.if_object();
        const json::object* function = call == nullptr ? nullptr : object_at(*call, "function");
        if (function == nullptr) continue;
        const std::int64_t index = count_at(*call, "index");
        if (tool_calls_.size() >= kMaxToolCalls && !tool_calls_.contains(index)) continue;
        const std::string name = string_at(*function, "name");
        const std::string arguments = string_at(*function, "arguments");
        tool_bytes_ += name.size() + arguments.size();
        if (tool_bytes_ > kMaxToolBytes) {
            give_up(ErrorCode::kTooLarge,
                    fmt::format("sent more than {} bytes of tool calls", kMaxToolBytes));
            return;
        }
        if (tool_calls_[index].id.empty()) tool_calls_[index].id = string_at(*call, "id");
        tool_calls_[index].name += name;
        tool_calls_[index].arguments += arguments;
        count_token();
    }
}

void RemoteAnswer::on_usage(const json::object& usage) {
    usage_.prompt_tokens = count_at(usage, "prompt_tokens");
    usage_.completion_tokens = count_at(usage, "completion_tokens");
    if (const json::object* details = object_at(usage, "prompt_tokens_details"))
        usage_.cached_tokens = std::min(count_at(*details, "cached_tokens"), usage_.prompt_tokens);
    if (const json::object* details = object_at(usage, "completion_tokens_details"))
        usage_.reasoning_tokens = count_at(*details, "reasoning_tokens");
}

void RemoteAnswer::on_finish_reason(std::string_view reason) {
    finish_ = reason == "length" ? ChatFinish::kLength : ChatFinish::kStop;
    if (reason == "error") give_up(ErrorCode::kUnavailable, "broke off with an error");
    if (reason == "content_filter")
        give_up(ErrorCode::kUnavailable, "ended the answer: its content filter took offence");
}

void RemoteAnswer::count_token() {
    started_ = true;
    if (!first_token_) first_token_ = SteadyClock::now();
    handler_(chat_event::Progress{++pieces_});
}

void RemoteAnswer::show_thinking(std::string text) {
    if (text.empty()) return;
    if (!std::exchange(thinking_, true)) handler_(chat_event::ThinkingStarted{});
    handler_(chat_event::ThinkingText{std::move(text)});
}

void RemoteAnswer::show_text(std::string text, std::vector<TokenLogprobs> logprobs) {
    if (text.empty() && logprobs.empty()) return;
    if (!text.empty() && std::exchange(thinking_, false)) handler_(chat_event::ThinkingEnded{});
    handler_(chat_event::Text{std::move(text), std::move(logprobs)});
}

/// Calls of what was offered; anything else as local models write it.
void RemoteAnswer::deliver_tool_calls() {
    for (const auto& [index, call] : tool_calls_) {
        const std::string text = call_json({{"name", call.name}, {"arguments", call.arguments}});
        const auto valid = parse_json_calls(text, tools_);
        if (!valid.empty()) {
            const std::int64_t n = n_calls_++;
            handler_(chat_event::ToolCallBegun{
                n, call.id.empty() ? "call_" + random_id() : call.id, valid.front().name});
            handler_(chat_event::ToolCallArguments{n, valid.front().arguments});
            handler_(chat_event::ToolCallDone{n});
            continue;
        }
        auto arguments = parse_remote_json(call.arguments);
        const json::object object = {
            {"name", call.name},
            {"arguments", arguments ? *arguments : json::value(call.arguments)}};
        show_text(fmt::format("<tool_call>\n{}\n</tool_call>\n", json::serialize(object)));
    }
    tool_calls_.clear();
}

chat_event::End RemoteAnswer::finish(std::optional<Error> broken) {
    ThinkSplitter::Parts rest = splitter_.finish();
    show_thinking(std::move(rest.thinking));
    show_text(std::move(rest.text));
    const bool complete = !error_ && (done_ || finish_);
    if (complete) deliver_tool_calls();
    if (std::exchange(thinking_, false)) handler_(chat_event::ThinkingEnded{});
    chat_event::End end{
        .finish = finish_.value_or(ChatFinish::kStop), .error = error_, .usage = usage_};
    if (n_calls_ > 0 && end.finish == ChatFinish::kStop) end.finish = ChatFinish::kToolCalls;
    if (usage_.completion_tokens == 0) end.usage.completion_tokens = pieces_;
    if (first_token_) {
        end.usage.prefill_ms = ms_between(began_, *first_token_);
        end.usage.decode_ms = ms_between(*first_token_, SteadyClock::now());
    }
    if (complete) return end;
    end.finish = ChatFinish::kError;
    if (!end.error) end.error = std::move(broken);
    if (!end.error) {
        end.error =
            Error{ErrorCode::kIo,
                  fmt::format(
                      "the server {} closed the connection in the middle of the answer; try again",
                      host_)};
    }
    return end;
}

}  // namespace notso::services

#include "services/backend/remote_request.hpp"

#include "services/prompt/messages.hpp"
#include "services/prompt/thinking_flags.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

json::array messages_json(const ChatRequest& request) {
    json::array messages;
    for (const ChatMessage& message : request.messages) {
        json::object object = to_template_message(message);
        if (request.thinking_overrides_system && message.role == "system")
            object["content"] = strip_thinking_flags(message.content);
        messages.push_back(std::move(object));
    }
    return messages;
}

template <class T>
void add(json::object& body, std::string_view name, const std::optional<T>& value) {
    if (value) body[name] = *value;
}

void add_sampling(json::object& body, const SamplingSettings& sampling) {
    add(body, "temperature", sampling.temperature);
    add(body, "top_p", sampling.top_p);
    add(body, "min_p", sampling.min_p);
    add(body, "top_k", sampling.top_k);
    add(body, "repeat_penalty", sampling.repeat_penalty);
    add(body, "presence_penalty", sampling.presence_penalty);
    add(body, "frequency_penalty", sampling.frequency_penalty);
    add(body, "seed", sampling.seed);
    if (sampling.logit_bias.empty()) return;
    json::object biases;
    for (const auto& [id, bias] : sampling.logit_bias) biases[std::to_string(id)] = bias;
    body["logit_bias"] = std::move(biases);
}

void add_tools(json::object& body, const ChatRequest& request) {
    body["tools"] = request.tools;
    if (!request.parallel_tool_calls) body["parallel_tool_calls"] = false;
    if (request.tool_choice.kind == ToolChoice::Kind::kRequired) body["tool_choice"] = "required";
    if (request.tool_choice.kind == ToolChoice::Kind::kFunction) {
        body["tool_choice"] = {{"type", "function"},
                               {"function", {{"name", request.tool_choice.name}}}};
    }
}

}  // namespace

std::string_view remote_path(const ChatRequest& request) {
    return request.raw_prompt ? "/completions" : "/chat/completions";
}

json::object remote_body(const ChatRequest& request) {
    json::object body = {{"stream", true}, {"stream_options", {{"include_usage", true}}}};
    if (request.raw_prompt) {
        body["prompt"] = *request.raw_prompt;
    } else {
        body["messages"] = messages_json(request);
        if (!request.tools.empty()) add_tools(body, request);
        if (request.logprobs) body["logprobs"] = true;
        if (request.logprobs && request.top_logprobs > 0)
            body["top_logprobs"] = request.top_logprobs;
    }
    if (!request.form.response_format.empty())
        body["response_format"] = request.form.response_format;
    else if (!request.form.is_free())
        body["grammar"] = request.form.gbnf;
    add_sampling(body, request.sampling);
    if (request.max_tokens > 0) body["max_tokens"] = request.max_tokens;
    if (!request.stop.empty()) body["stop"] = json::value_from(request.stop);
    return body;
}

json::object remote_template_variables(const ChatRequest& request) {
    if (request.raw_prompt) return {};
    json::object variables = request.template_variables;
    variables["enable_thinking"] = request.thinking;
    return variables;
}

}  // namespace notso::services

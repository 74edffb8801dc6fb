#include "web/routes/openai_request.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace notso::web {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxBiases = 1024;
constexpr std::int64_t kMaxTopLogprobs = 20;

/// A field that only exists in one form here.
ApiResult<> check_only(const JsonFields& fields, std::string_view name, std::int64_t value) {
    NOTSO_TRY(const auto given, fields.integer(name, 1, std::numeric_limits<std::int64_t>::max()));
    if (given.value_or(value) == value) return {};
    return fail_field(
        fields.path(name), "{} must be {}: one answer per request", fields.path(name), value);
}

ApiResult<std::int64_t> parse_max_tokens(const JsonFields& fields,
                                         const services::ModelInfo& model) {
    const std::int64_t most =
        model.context_length > 0 ? model.context_length : std::numeric_limits<std::int32_t>::max();
    std::int64_t limit = 0;
    // The newer name wins, as in the original.
    for (const std::string_view name : {"max_tokens", "max_completion_tokens"}) {
        NOTSO_TRY(const auto value, fields.integer(name, 1, most));
        if (value) limit = *value;
    }
    return limit;
}

ApiResult<std::vector<std::string>> parse_stops(const JsonFields& fields) {
    const json::value* value = fields.find("stop");
    std::vector<std::string> stops;
    if (value == nullptr) return stops;
    if (value->is_string()) {
        stops.emplace_back(value->get_string());
    } else {
        NOTSO_TRY(const json::array* items, fields.array("stop", kMaxStops));
        for (const json::value& item : *items) {
            if (!item.is_string())
                return fail_field("stop", "stop must hold strings, not {}", type_name(item));
            stops.emplace_back(item.get_string());
        }
    }
    for (const std::string& stop : stops) {
        if (stop.empty() || stop.size() > kMaxStopBytes) {
            return fail_field("stop", "each stop string must have 1 to {} bytes", kMaxStopBytes);
        }
    }
    return stops;
}

ApiResult<> parse_logprobs(const JsonFields& fields, services::ChatRequest& request) {
    NOTSO_TRY(const auto wanted, fields.boolean("logprobs"));
    NOTSO_TRY(const auto top, fields.integer("top_logprobs", 0, kMaxTopLogprobs));
    request.logprobs = wanted.value_or(false);
    if (top.value_or(0) > 0 && !request.logprobs) {
        return fail_field("top_logprobs", "top_logprobs needs logprobs: true");
    }
    request.top_logprobs = static_cast<std::int32_t>(top.value_or(0));
    return {};
}

/// The schema of "response_format", where it has one.
ApiResult<const json::value*> parse_json_schema(const JsonFields& format) {
    NOTSO_TRY(const json::object* wrapper, format.object("json_schema"));
    if (wrapper == nullptr)
        return fail_field(format.path("json_schema"), "{} is missing", format.path("json_schema"));
    const JsonFields members(*wrapper, format.path("json_schema."));
    NOTSO_CHECK(members.boolean("strict"));  // it is always strict here
    NOTSO_CHECK(members.string("name"));
    const json::value* schema = members.find("schema");
    if (schema == nullptr)
        return fail_field(members.path("schema"), "{} is missing", members.path("schema"));
    return schema;
}

/// "response_format" and "grammar": what the answer must look like.
ApiResult<services::AnswerForm> parse_form(const JsonFields& fields) {
    NOTSO_TRY(const json::object* format, fields.object("response_format"));
    NOTSO_TRY(const auto grammar, fields.string("grammar"));
    std::string type = "text";
    if (format != nullptr) {
        NOTSO_TRY(const auto given, JsonFields(*format, "response_format.").string("type"));
        type = given.value_or("");
    }
    Result<services::AnswerForm> form = services::AnswerForm();
    std::string param = "response_format";
    if (type == "json_object") {
        form = services::json_object_form();
    } else if (type == "json_schema") {
        const JsonFields members(*format, "response_format.");
        NOTSO_TRY(const json::value* schema, parse_json_schema(members));
        param = "response_format.json_schema.schema";
        form = services::json_schema_form(*schema);
    } else if (type != "text") {
        return fail_field("response_format.type",
                          "response_format.type must be text, json_object or json_schema");
    }
    if (grammar && type != "text")
        return fail_field("grammar", "grammar and response_format can't both shape the answer");
    if (grammar) {
        param = "grammar";
        form = services::grammar_form(*grammar);
    }
    if (!form) return std::unexpected(ApiError{form.error(), {param, "invalid_value"}});
    if (format != nullptr && !form->is_free()) form->response_format = *format;
    return *std::move(form);
}

/// What reasoning_effort means in tokens; the highest has no limit.
struct Effort {
    std::string_view name;
    std::optional<std::int64_t> budget;
};
constexpr Effort kEfforts[] = {{"none", 0},
                               {"minimal", 256},
                               {"low", 1024},
                               {"medium", 4096},
                               {"high", std::nullopt},
                               {"xhigh", std::nullopt}};

/// reasoning_effort, thinking_budget_tokens and chat_template_kwargs; the more exact one, in this
/// order, wins.
ApiResult<> parse_thinking(const JsonFields& fields, services::ChatRequest& request) {
    NOTSO_TRY(const auto effort, fields.string("reasoning_effort"));
    if (effort) {
        const auto* known = std::ranges::find(kEfforts, *effort, &Effort::name);
        if (known == std::end(kEfforts)) {
            return fail_field("reasoning_effort",
                              "reasoning_effort must be none, minimal, low, medium, high or xhigh");
        }
        request.thinking = known->budget != 0;
        request.thinking_budget = known->budget;
    }
    NOTSO_TRY(
        const auto budget,
        fields.integer("thinking_budget_tokens", 0, std::numeric_limits<std::int32_t>::max()));
    if (budget) {
        request.thinking = *budget > 0;
        request.thinking_budget = budget;
    }
    NOTSO_TRY(const json::object* variables, fields.object("chat_template_kwargs"));
    if (variables == nullptr) return {};
    const JsonFields members(*variables, "chat_template_kwargs.");
    NOTSO_TRY(const auto enabled, members.boolean("enable_thinking"));
    if (enabled) request.thinking = *enabled;
    if (enabled == false) request.thinking_budget = 0;
    if (enabled == true && request.thinking_budget == 0) request.thinking_budget.reset();
    request.template_variables = *variables;
    return {};
}

ApiResult<> parse_streaming(const JsonFields& fields, OpenAiCall& call) {
    NOTSO_TRY(const auto stream, fields.boolean("stream"));
    call.stream = stream.value_or(false);
    NOTSO_TRY(const json::object* options, fields.object("stream_options"));
    if (options == nullptr) return {};
    const JsonFields members(*options, "stream_options.");
    NOTSO_TRY(const auto include_usage, members.boolean("include_usage"));
    call.include_usage = include_usage.value_or(false);
    return {};
}

/// What both kinds of completion share.
ApiResult<OpenAiCall> parse_common(const JsonFields& fields, const ModelLookup& find_model) {
    OpenAiCall call;
    NOTSO_TRY(const auto name, fields.string("model"));
    const auto model = find_model(name.value_or(""));
    if (!model) return std::unexpected(ApiError{model.error(), {"model", "model_not_found"}});
    call.request.model = name ? model->id : "";
    call.model_id = model->id;
    NOTSO_CHECK(check_only(fields, "n", 1));
    NOTSO_CHECK(parse_streaming(fields, call));
    NOTSO_TRY(call.request.max_tokens, parse_max_tokens(fields, *model));
    NOTSO_TRY(call.request.stop, parse_stops(fields));
    NOTSO_TRY(call.request.sampling, parse_sampling(fields));
    return call;
}

ApiResult<std::pair<std::int64_t, double>> parse_bias(const json::key_value_pair& entry) {
    const std::string_view key = entry.key();
    std::int64_t id = -1;
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
    if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || id < 0 ||
        id > std::numeric_limits<std::int32_t>::max()) {
        return fail_field("logit_bias", "the keys of logit_bias must be token ids");
    }
    const json::value& bias = entry.value();
    const double number = bias.is_number() ? bias.to_number<double>() : 1e9;
    if (!(number >= -100 && number <= 100)) {
        return fail_field("logit_bias",
                          "the values of logit_bias must be numbers from -100 to 100");
    }
    return std::pair(id, number);
}

}  // namespace

ApiResult<services::SamplingSettings> parse_sampling(const JsonFields& fields) {
    services::SamplingSettings out;
    NOTSO_TRY(out.temperature, fields.number("temperature", 0, 2));
    NOTSO_TRY(out.top_p, fields.number("top_p", 0, 1));
    if (out.top_p == 0.0) return fail_field("top_p", "top_p must be greater than 0");
    NOTSO_TRY(out.min_p, fields.number("min_p", 0, 1));
    NOTSO_TRY(out.top_k, fields.integer("top_k", 0, std::numeric_limits<std::int32_t>::max()));
    NOTSO_TRY(out.repeat_penalty, fields.number("repeat_penalty", 0.01, 10));
    NOTSO_TRY(out.presence_penalty, fields.number("presence_penalty", -2, 2));
    NOTSO_TRY(out.frequency_penalty, fields.number("frequency_penalty", -2, 2));
    NOTSO_TRY(out.seed, fields.unsigned_integer("seed"));
    NOTSO_TRY(const json::object* biases, fields.object("logit_bias"));
    if (biases == nullptr) return out;
    if (biases->size() > kMaxBiases) {
        return fail_field(
            "logit_bias", "logit_bias has {} entries, {} are allowed", biases->size(), kMaxBiases);
    }
    for (const auto& entry : *biases) {
        NOTSO_TRY(const auto bias, parse_bias(entry));
        out.logit_bias.push_back(bias);
    }
    return out;
}

ApiResult<OpenAiCall> parse_chat_call(std::string_view body, const ModelLookup& find_model) {
    NOTSO_TRY(const json::object root, parse_json_object(body));
    const JsonFields fields(root);
    NOTSO_TRY(auto messages, parse_messages(fields));
    NOTSO_TRY(auto call, parse_common(fields, find_model));
    call.request.messages = std::move(messages);
    NOTSO_CHECK(parse_tools(fields, call.request));
    NOTSO_CHECK(parse_logprobs(fields, call.request));
    NOTSO_TRY(call.request.form, parse_form(fields));
    NOTSO_CHECK(parse_thinking(fields, call.request));
    return call;
}

ApiResult<OpenAiCall> parse_completion_call(std::string_view body, const ModelLookup& find_model) {
    NOTSO_TRY(const json::object root, parse_json_object(body));
    const JsonFields fields(root);
    NOTSO_TRY(auto call, parse_common(fields, find_model));
    NOTSO_CHECK(check_only(fields, "best_of", 1));
    for (const std::string_view name : {"logprobs", "suffix"}) {
        if (fields.find(name) != nullptr)
            return unsupported_field(std::string(name), "not done by this endpoint");
    }
    NOTSO_TRY(const auto echo, fields.boolean("echo"));
    if (echo.value_or(false)) return unsupported_field("echo", "the prompt is not repeated");
    const json::value* prompt = fields.find("prompt");
    if (prompt != nullptr && prompt->is_array() && prompt->get_array().size() == 1)
        prompt = &prompt->get_array()[0];
    if (prompt == nullptr || !prompt->is_string())
        return fail_field("prompt", "prompt must be one string");
    call.request.raw_prompt = std::string(prompt->get_string());
    NOTSO_TRY(call.request.form, parse_form(fields));
    return call;
}

}  // namespace notso::web

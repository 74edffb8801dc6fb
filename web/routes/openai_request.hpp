// What a client of the OpenAI API asks for, checked and turned into a ChatRequest. Pure functions,
// no sockets.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "services/backend/chat_backend.hpp"
#include "web/routes/json_fields.hpp"

namespace notso::web {

/// Limits of one request; beyond them: 400.
inline constexpr std::size_t kMaxMessages = 1000;
inline constexpr std::size_t kMaxTools = 64;
inline constexpr std::size_t kMaxStops = 16;
inline constexpr std::size_t kMaxStopBytes = 256;

/// What the model of that name is; empty = the default. @errors kNotFound.
using ModelLookup = std::function<Result<services::ModelInfo>(const std::string& name)>;

struct OpenAiCall {
    services::ChatRequest request;
    std::string model_id = {};  ///< Of the model that answers.
    bool stream = false;
    bool include_usage = false;
};

/// POST /v1/chat/completions. @errors name the field.
ApiResult<OpenAiCall> parse_chat_call(std::string_view body, const ModelLookup& find_model);
/// POST /v1/completions: one prompt, continued as it is.
ApiResult<OpenAiCall> parse_completion_call(std::string_view body, const ModelLookup& find_model);

/// The "messages" of a body. Parts are flattened, developer becomes system.
ApiResult<std::vector<services::ChatMessage>> parse_messages(const JsonFields& fields);
/// "tools", "tool_choice" and "parallel_tool_calls".
ApiResult<> parse_tools(const JsonFields& fields, services::ChatRequest& request);
/// Temperature and its kin.
ApiResult<services::SamplingSettings> parse_sampling(const JsonFields& fields);

}  // namespace notso::web

// See local_model.hpp.
#include "services/backend/local_model.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "services/backend/call_form.hpp"
#include "services/backend/local_settings.hpp"
#include "services/backend/model_name.hpp"
#include "services/backend/stop_matcher.hpp"
#include "services/backend/written_answer.hpp"

namespace notso::services {
namespace {

double to_ms(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

ChatFinish to_chat_finish(ml::FinishReason reason) {
    switch (reason) {
        case ml::FinishReason::kStop:
            return ChatFinish::kStop;
        case ml::FinishReason::kLength:
            return ChatFinish::kLength;
        case ml::FinishReason::kCancelled:
            return ChatFinish::kCancelled;
        case ml::FinishReason::kError:
            break;
    }
    return ChatFinish::kError;
}

ml::Priority to_priority(ChatPriority priority) {
    switch (priority) {
        case ChatPriority::kInteractive:
            return ml::Priority::kInteractive;
        case ChatPriority::kApi:
            return ml::Priority::kApi;
        case ChatPriority::kBackground:
            break;
    }
    return ml::Priority::kBackground;
}

/// The engine's events of one answer, parsed and passed on. Lives on the engine thread.
class AnswerSink final : public ml::TokenSink {
  public:
    /// @param parser  Refers to *handler.
    /// @param first  Events that come before the first token.
    AnswerSink(std::shared_ptr<AnswerParser> parser,
               std::shared_ptr<ChatEventHandler> handler,
               std::vector<ChatEvent> first)
        : handler_(std::move(handler)), parser_(std::move(parser)), first_(std::move(first)) {}

    void on_queued(std::int32_t position, std::chrono::milliseconds wait) override {
        (*handler_)(chat_event::Queued{position, wait.count()});
    }
    void on_prefill(std::int32_t done, std::int32_t total) override {
        for (ChatEvent& event : std::exchange(first_, {})) (*handler_)(std::move(event));
        (*handler_)(chat_event::Prefill{done, total});
    }

    ml::SinkVerdict on_token(const ml::GeneratedToken& token) override {
        parser_->push(token);
        return parser_->stopped() ? ml::SinkVerdict::kStop : ml::SinkVerdict::kContinue;
    }

    void on_end(const ml::GenerationEnd& end) override {
        parser_->finish(end.reason != ml::FinishReason::kStop);
        const bool calls = end.reason == ml::FinishReason::kStop && parser_->n_calls() > 0;
        (*handler_)(
            chat_event::End{.finish = calls ? ChatFinish::kToolCalls : to_chat_finish(end.reason),
                            .error = end.error,
                            .usage = {.prompt_tokens = end.stats.prompt_tokens,
                                      .cached_tokens = end.stats.cached_tokens,
                                      .completion_tokens = end.stats.generated_tokens,
                                      .reasoning_tokens = parser_->reasoning_tokens(),
                                      .draft_tokens = end.stats.draft_tokens,
                                      .accepted_tokens = end.stats.accepted_tokens,
                                      .queued_ms = to_ms(end.stats.queued),
                                      .prefill_ms = to_ms(end.stats.prefill),
                                      .decode_ms = to_ms(end.stats.decode)}});
    }

  private:
    std::shared_ptr<ChatEventHandler> handler_;
    std::shared_ptr<AnswerParser> parser_;  // refers to *handler_
    std::vector<ChatEvent> first_;
};

/// Whether a call has to come. @errors kInvalidArgument when there is nothing to call.
Result<bool> check_tool_choice(const ChatRequest& request, const std::vector<OfferedTool>& tools) {
    if (request.tool_choice.kind == ToolChoice::Kind::kAuto) return false;
    const bool any = request.tool_choice.kind == ToolChoice::Kind::kRequired;
    const auto fits = [&](const OfferedTool& tool) {
        return !tool.by_code && (any || tool.name == request.tool_choice.name);
    };
    if (std::ranges::any_of(tools, fits)) return true;
    return fail(ErrorCode::kInvalidArgument,
                "tool_choice: there is no tool {} to be called",
                any ? "" : request.tool_choice.name);
}

}  // namespace

LocalModel::LocalModel(std::shared_ptr<const ml::Model> model,
                       std::unique_ptr<const PromptBuilder> prompts,
                       std::unique_ptr<ml::Engine> engine)
    : model_(std::move(model)),
      prompts_(std::move(prompts)),
      tokens_(model_->tokenizer()),
      grammars_(model_->tokenizer()),
      engine_(std::move(engine)) {}

Result<std::unique_ptr<LocalModel>> LocalModel::create(std::shared_ptr<const ml::Model> model,
                                                       const ml::EngineOptions& options) {
    auto prompts = PromptBuilder::create(model->chat_template(), model->tokenizer());
    if (!prompts) {
        return fail(prompts.error().code, "{}: {}", model->path().string(), prompts.error().detail);
    }
    NOTSO_TRY(auto engine, ml::Engine::create(model, options));
    return std::unique_ptr<LocalModel>(
        new LocalModel(std::move(model), *std::move(prompts), std::move(engine)));
}

Result<ml::RequestId> LocalModel::submit(const ChatRequest& request,
                                         std::shared_ptr<ChatEventHandler> handler,
                                         std::shared_ptr<const AnswerControl> control) {
    NOTSO_CHECK(validate_stops(request.stop));
    ml::GenerationRequest generation;
    NOTSO_TRY(
        generation.sampling,
        to_sampling_params(request.sampling, sampling_defaults(model_->config().n_parameters)));
    NOTSO_TRY(generation.max_tokens, to_max_tokens(request.max_tokens));
    NOTSO_TRY(Prompt prompt, prompts_->build(request));
    generation.prompt = std::move(prompt.tokens);
    generation.n_exact = prompt.n_exact;
    const auto ends = model_->tokenizer().end_tokens();
    generation.end_tokens.assign(ends.begin(), ends.end());
    generation.user = request.user;
    generation.priority = to_priority(request.priority);
    generation.read_only = request.read_only;
    generation.quiet = request.quiet;
    generation.logprobs = request.logprobs;
    generation.n_top_logprobs = request.logprobs ? request.top_logprobs : 0;
    auto parser = std::make_shared<AnswerParser>(
        tokens_,
        AnswerOptions{.thinking_open = prompt.thinking_open,
                      .stop = request.stop,
                      .logprobs = request.logprobs,
                      .tools = prompt.tools,
                      .one_call = !request.parallel_tool_calls ||
                                  request.tool_choice.kind == ToolChoice::Kind::kFunction},
        *handler);
    NOTSO_TRY(generation.guide, make_guide(request, prompt, parser, std::move(control)));
    std::vector<ChatEvent> first;
    if (request.written) {
        NOTSO_TRY(generation.written,
                  written_tokens(*request.written, tokens_, prompt.thinking_open));
        const std::int32_t room =
            engine_->context_length() - static_cast<std::int32_t>(generation.prompt.size());
        const std::int32_t most =
            generation.max_tokens > 0 ? std::min(generation.max_tokens, room) : room;
        Replay replayed =
            replay(generation.written, most, {*parser, *handler, generation.guide.get()});
        generation.n_drawn = replayed.n_drawn;
        first = std::move(replayed.events);
    }
    return engine_->submit(
        std::move(generation),
        std::make_unique<AnswerSink>(std::move(parser), std::move(handler), std::move(first)));
}

/// Null where nothing can need guidance.
Result<std::shared_ptr<ml::TokenGuide>> LocalModel::make_guide(
    const ChatRequest& request,
    const Prompt& prompt,
    std::shared_ptr<AnswerParser> parser,
    std::shared_ptr<const AnswerControl> control) const {
    SteeringOptions options{.thinking = request.thinking && !request.raw_prompt,
                            .thinking_open = prompt.thinking_open,
                            .thinking_budget = request.thinking_budget};
    // Switched off by a person: what the model begins to think all the same ends at once.
    const bool has_switch = prompts_->template_has_thinking_switch();
    if (!request.thinking && request.thinking_overrides_system && has_switch)
        options.thinking_budget = 0;
    NOTSO_TRY(options.must_call, check_tool_choice(request, prompt.tools));
    NOTSO_TRY(options.call_guide, make_call_guide(request, prompt.tools));
    NOTSO_TRY(options.answer, grammars_.guide(request.form));
    const bool may_think = tokens_.has_think_tokens() || prompt.thinking_open || has_switch;
    if (!may_think && prompt.tools.empty() && !options.answer) return nullptr;
    return std::make_shared<SteeringGuide>(
        tokens_, std::move(options), std::move(parser), std::move(control));
}

/// Empty where nothing is called by JSON. The grammar is made now, so that the engine's thread only
/// copies it.
Result<CallGuideFactory> LocalModel::make_call_guide(const ChatRequest& request,
                                                     const std::vector<OfferedTool>& tools) const {
    if (std::ranges::all_of(tools, &OfferedTool::by_code)) return nullptr;
    const bool is_llama = tokens_.call_syntax().bare_json;
    NOTSO_TRY(const AnswerForm form,
              call_form(tools, request.tool_choice.name, is_llama ? "parameters" : "arguments"));
    NOTSO_TRY(std::shared_ptr<const ml::GrammarGuide> first, grammars_.guide(form));
    return [first = std::move(first)] { return std::make_unique<ml::GrammarGuide>(*first); };
}

Result<std::int64_t> LocalModel::count_tokens(const ChatRequest& request) const {
    NOTSO_TRY(const Prompt prompt, prompts_->build(request));
    return static_cast<std::int64_t>(prompt.tokens.size());
}

ModelInfo LocalModel::info() const {
    const ml::ModelConfig& config = model_->config();
    const std::string stem = model_->path().stem().string();
    return {.id = stem,
            .name = model_display_name(stem, config.file_type),
            .file_type = config.file_type,
            .architecture = config.architecture,
            .context_length = engine_->context_length(),
            .n_parameters = config.n_parameters,
            .weight_bytes = config.weight_bytes,
            .can_think = tokens_.has_think_tokens() || prompts_->template_has_thinking_switch(),
            .can_call_tools = tokens_.call_syntax().call_tokens || tokens_.python_tag ||
                              prompts_->template_knows_tools()};
}

}  // namespace notso::services

// LocalModel: a loaded model ready to answer: engine, prompt builder, and the way from a chat
// request to tokens and back to events. Knows nothing of loading and of waiting.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/engine.hpp"
#include "services/backend/answer_grammars.hpp"
#include "services/backend/answer_parser.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/backend/steering_guide.hpp"
#include "services/prompt/prompt_builder.hpp"

namespace notso::services {

class LocalModel {
  public:
    /// @errors those of the engine (memory) and of the model's chat template.
    static Result<std::unique_ptr<LocalModel>> create(std::shared_ptr<const ml::Model> model,
                                                      const ml::EngineOptions& options);

    /// Builds the prompt and queues it. On failure the handler is not called.
    /// @param control  Not null.
    /// @errors kOverloaded, kContextLength, kInvalidArgument.
    Result<ml::RequestId> submit(const ChatRequest& request,
                                 std::shared_ptr<ChatEventHandler> handler,
                                 std::shared_ptr<const AnswerControl> control);
    Result<std::int64_t> count_tokens(const ChatRequest& request) const;
    void cancel(ml::RequestId id) { engine_->cancel(id); }

    ModelInfo info() const;
    ml::EngineStats stats() const { return engine_->stats(); }

  private:
    LocalModel(std::shared_ptr<const ml::Model> model,
               std::unique_ptr<const PromptBuilder> prompts,
               std::unique_ptr<ml::Engine> engine);

    Result<std::shared_ptr<ml::TokenGuide>> make_guide(
        const ChatRequest& request,
        const Prompt& prompt,
        std::shared_ptr<AnswerParser> parser,
        std::shared_ptr<const AnswerControl> control) const;
    Result<CallGuideFactory> make_call_guide(const ChatRequest& request,
                                             const std::vector<OfferedTool>& tools) const;

    std::shared_ptr<const ml::Model> model_;
    std::unique_ptr<const PromptBuilder> prompts_;
    AnswerTokens tokens_;
    mutable AnswerGrammars grammars_;     // keeps what it made
    std::unique_ptr<ml::Engine> engine_;  // last: its end ends all answers, which use the rest
};

}  // namespace notso::services

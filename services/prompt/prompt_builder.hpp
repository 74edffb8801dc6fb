// PromptBuilder: a chat request becomes the exact tokens that the model was trained on, by the
// file's own template.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/tokenizer/tokenizer.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/prompt/offered_tools.hpp"
#include "services/template/template.hpp"

namespace notso::services {

struct Prompt {
    std::string text;  ///< As rendered; guards removed.
    std::vector<ml::TokenId> tokens;
    bool thinking_open = false;  ///< The prompt ends inside <think>.
    std::int32_t n_exact = 0;  ///< Tokens up to the end of the last answer in it; see the engine's.
    std::vector<OfferedTool> tools = {};  ///< What the model may call.
};

class PromptBuilder {
  public:
    /// @param source  The model's chat template; empty = ChatML.
    /// @param tokenizer  Must outlive the builder.
    static Result<std::unique_ptr<const PromptBuilder>> create(std::string_view source,
                                                               const ml::Tokenizer& tokenizer);
    virtual ~PromptBuilder() = default;

    /// Control tokens inside user, system and tool text stay ordinary text. Tools, calls and
    /// results reach the model whatever the template does with them.
    virtual Result<Prompt> build(const ChatRequest& request) const = 0;
    /// Whether switching `thinking` changes what the template renders.
    virtual bool template_has_thinking_switch() const = 0;
    /// Whether the template itself tells the model of tools.
    virtual bool template_knows_tools() const = 0;
};

}  // namespace notso::services

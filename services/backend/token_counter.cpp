// See token_counter.hpp.
#include "services/backend/token_counter.hpp"

#include <utility>

#include "ml/gguf/file.hpp"
#include "ml/model/config.hpp"
#include "ml/tokenizer/tokenizer.hpp"
#include "services/prompt/prompt_builder.hpp"

namespace notso::services {
namespace {

class FileCounter final : public TokenCounter {
  public:
    FileCounter(std::shared_ptr<const ml::Tokenizer> tokenizer,
                std::unique_ptr<const PromptBuilder> prompts)
        : tokenizer_(std::move(tokenizer)), prompts_(std::move(prompts)) {}

    Result<std::int64_t> count(const ChatRequest& request) const override {
        NOTSO_TRY(const Prompt prompt, prompts_->build(request));
        return std::ssize(prompt.tokens);
    }

  private:
    std::shared_ptr<const ml::Tokenizer> tokenizer_;
    std::unique_ptr<const PromptBuilder> prompts_;  // refers to *tokenizer_
};

}  // namespace

Result<std::unique_ptr<const TokenCounter>> TokenCounter::open(
    const std::filesystem::path& path, const std::optional<std::filesystem::path>& tokenizer_json) {
    NOTSO_TRY(const auto file, ml::gguf::File::open(path));
    NOTSO_TRY(const ml::ModelSpec spec, ml::read_spec(*file));
    NOTSO_TRY(auto tokenizer,
              tokenizer_json ? ml::Tokenizer::from_hf_json(
                                   *tokenizer_json, static_cast<std::size_t>(spec.config.n_vocab))
                             : ml::Tokenizer::from_gguf(*file));
    NOTSO_TRY(const auto text, file->get_string("tokenizer.chat_template"));
    NOTSO_TRY(auto prompts, PromptBuilder::create(text.value_or(""), *tokenizer));
    return std::make_unique<const FileCounter>(std::move(tokenizer), std::move(prompts));
}

}  // namespace notso::services

#include "app/model_files.hpp"

#include "app/model_choice.hpp"

namespace notso::app {
namespace {

/// Rows of the embedding: what a replacing tokenizer must fit.
Result<std::size_t> embedding_rows(const ml::gguf::File& file) {
    const ml::gguf::Tensor* embedding = file.find_tensor("token_embd.weight");
    if (embedding == nullptr || embedding->shape.size() != 2)
        return fail(ErrorCode::kCorruptData,
                    "{}: tensor token_embd.weight with 2 dimensions is missing",
                    file.path().string());
    return static_cast<std::size_t>(embedding->shape[1]);
}

}  // namespace

Result<ModelFiles> open_model_files(const Settings& settings) {
    NOTSO_TRY(const std::filesystem::path path, choose_model(settings));
    NOTSO_TRY(auto file, ml::gguf::File::open(path));
    if (!settings.tokenizer_json) {
        NOTSO_TRY(auto tokenizer, ml::Tokenizer::from_gguf(*file));
        return ModelFiles{std::move(file), std::move(tokenizer)};
    }
    NOTSO_TRY(const std::size_t rows, embedding_rows(*file));
    NOTSO_TRY(auto tokenizer, ml::Tokenizer::from_hf_json(*settings.tokenizer_json, rows));
    return ModelFiles{std::move(file), std::move(tokenizer)};
}

}  // namespace notso::app

// A model file and its tokenizer, without the weights: enough for the commands that only look at
// text.
#pragma once

#include <memory>
#include <string>

#include "app/settings.hpp"
#include "base/result.hpp"
#include "ml/gguf/file.hpp"
#include "ml/tokenizer/tokenizer.hpp"

namespace notso::app {

struct ModelFiles {
    std::shared_ptr<const ml::gguf::File> file;
    std::shared_ptr<const ml::Tokenizer> tokenizer;
};

/// Opens the chosen model's header and its tokenizer (or the tokenizer.json that the settings
/// name).
Result<ModelFiles> open_model_files(const Settings& settings);

}  // namespace notso::app

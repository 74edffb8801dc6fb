// Which of our pre-tokenizers a Hugging Face tokenizer.json describes. Internal to ml/tokenizer;
// shows Boost.JSON.
#pragma once

#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "ml/tokenizer/pre_tokenizer.hpp"

namespace notso::ml::hf {

/// A JSON string as a view.
inline std::string_view view(const boost::json::string& text) noexcept {
    return {text.data(), text.size()};
}

/// The `type` of a component such as {"type": "NFC"}; "(no type)" when there is none.
std::string_view type_of(const boost::json::value& component) noexcept;

/// A boolean member; `fallback` when it is missing or of another type.
bool flag(const boost::json::object& object, std::string_view name, bool fallback) noexcept;

/// Recognises the `pre_tokenizer` entry. @errors kUnsupported names the step or the regular
/// expression.
Result<PreTokenizer> read_pre_tokenizer(const boost::json::value& entry);

}  // namespace notso::ml::hf

// LoopDetector: notices when a thought goes round in circles: the same tokens over and over, or the
// same sentences again and again. Constant cost per token, whatever its length.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ml/tokenizer/token_id.hpp"

namespace notso::services {

class LoopDetector {
  public:
    /// Longest stretch of tokens whose repetition is seen.
    static constexpr std::size_t kMaxPeriod = 256;

    LoopDetector() : recent_(kMaxPeriod), run_(kMaxPeriod + 1) {}

    /// @param bytes  Of the token.
    void push(ml::TokenId id, std::string_view bytes);
    /// Once true, it stays so.
    bool looping() const noexcept { return looping_; }

  private:
    static constexpr std::size_t kSentences = 48;  // how far back sentences are compared

    void end_sentence();

    bool looping_ = false;
    std::size_t n_tokens_ = 0;
    std::vector<ml::TokenId> recent_;  // ring of the last kMaxPeriod tokens
    std::vector<std::size_t> run_;  // [period] how long every token was that many tokens ago, too
    std::string sentence_;          // the one that is being written, letters and digits only
    std::array<std::size_t, kSentences> hashes_{};
    std::size_t n_sentences_ = 0;
};

}  // namespace notso::services

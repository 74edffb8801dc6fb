// AnswerGrammars: the compiled grammars of one model's requests, those used last kept. Thread-safe.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "ml/grammar/grammar_guide.hpp"
#include "services/schema/answer_form.hpp"

namespace notso::services {

class AnswerGrammars {
  public:
    /// @param tokenizer  Must outlive this and all guides.
    explicit AnswerGrammars(const ml::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

    /// A guide for one answer; null for a free form.
    /// @errors kInvalidArgument, and kUnsupported when the vocabulary can't write what is wanted.
    Result<std::unique_ptr<ml::GrammarGuide>> guide(const AnswerForm& form);

    /// How many grammars are kept.
    std::size_t size() const;

  private:
    struct Entry {
        std::string gbnf;
        bool is_generated = false;
        std::shared_ptr<ml::GrammarMasks> masks;
    };

    Result<std::shared_ptr<ml::GrammarMasks>> find(const AnswerForm& form);

    const ml::Tokenizer& tokenizer_;
    mutable std::mutex mutex_;                   // guards what follows
    std::shared_ptr<const ml::TokenTrie> trie_;  // made when the first grammar comes
    std::list<Entry> entries_;                   // the last used first
};

}  // namespace notso::services

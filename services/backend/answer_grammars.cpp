// See answer_grammars.hpp.
#include "services/backend/answer_grammars.hpp"

#include <algorithm>
#include <utility>

#include "services/schema/form_grammar.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kMaxGrammars = 16;
constexpr std::size_t kMaxGrammarMemory = 64 << 20;  // of those that nobody uses now, too

}  // namespace

Result<std::unique_ptr<ml::GrammarGuide>> AnswerGrammars::guide(const AnswerForm& form) {
    if (form.is_free()) return nullptr;
    NOTSO_TRY(auto masks, find(form));
    return std::make_unique<ml::GrammarGuide>(std::move(masks), tokenizer_);
}

std::size_t AnswerGrammars::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

Result<std::shared_ptr<ml::GrammarMasks>> AnswerGrammars::find(const AnswerForm& form) {
    const std::lock_guard lock(mutex_);
    const auto known = std::ranges::find_if(entries_, [&](const Entry& entry) {
        return entry.is_generated == form.is_generated && entry.gbnf == form.gbnf;
    });
    if (known != entries_.end()) {
        entries_.splice(entries_.begin(), entries_, known);
        return entries_.front().masks;
    }
    NOTSO_TRY(auto grammar, compile_form(form));
    if (!trie_) trie_ = std::make_shared<const ml::TokenTrie>(tokenizer_);
    NOTSO_TRY(auto masks, ml::GrammarMasks::create(std::move(grammar), trie_));
    entries_.push_front({form.gbnf, form.is_generated, masks});
    std::size_t memory = 0;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        memory += entry->gbnf.size() + entry->masks->memory_bytes();
        const bool is_first = entry == entries_.begin();
        const auto now = entry++;
        if (!is_first && memory > kMaxGrammarMemory) entries_.erase(now);
    }
    if (entries_.size() > kMaxGrammars) entries_.pop_back();
    return masks;
}

}  // namespace notso::services

// See written_answer.hpp.
#include "services/backend/written_answer.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "services/prompt/thinking_flags.hpp"

namespace notso::services {
namespace {

/// As models write it: the tags on lines of their own. A thought without an answer stays open.
std::vector<ml::TokenId> tokens_of_texts(const WrittenAnswer& written,
                                         const AnswerTokens& tokens,
                                         bool thinking_open) {
    std::vector<ml::TokenId> ids;
    const auto add_text = [&](std::string_view text) {
        std::ranges::copy(tokens.tokenizer.encode(text), std::back_inserter(ids));
    };
    if (written.thinking.empty() && !thinking_open) {
        add_text(written.text);
        return ids;
    }
    const bool is_token = tokens.has_think_tokens();
    if (!thinking_open && is_token) ids.push_back(*tokens.think);
    const std::string open = thinking_open ? "" : is_token ? "\n" : fmt::format("{}\n", kThinkTag);
    if (written.text.empty()) {
        add_text(open + written.thinking);
        return ids;
    }
    add_text(fmt::format("{}{}\n{}", open, written.thinking, is_token ? "" : kThinkEndTag));
    if (is_token) ids.push_back(*tokens.think_end);
    add_text("\n\n" + written.text);
    return ids;
}

}  // namespace

Result<std::vector<ml::TokenId>> written_tokens(const WrittenAnswer& written,
                                                const AnswerTokens& tokens,
                                                bool thinking_open) {
    if (written.tokens.empty()) return tokens_of_texts(written, tokens, thinking_open);
    std::vector<ml::TokenId> ids;
    for (const std::int32_t id : written.tokens) {
        if (id < 0 || std::cmp_greater_equal(id, tokens.tokenizer.vocab_size())) {
            return fail(ErrorCode::kInvalidArgument,
                        "the answer can't go on: {} is no token of this model",
                        id);
        }
        ids.push_back(ml::TokenId{id});
    }
    return ids;
}

Replay replay(const std::vector<ml::TokenId>& written,
              std::int32_t n_left,
              const AnswerWatchers& watchers) {
    Replay replayed;
    ChatEventHandler real = std::exchange(watchers.handler, [&replayed](ChatEvent event) {
        replayed.events.push_back(std::move(event));
    });
    for (const ml::TokenId id : written) {
        ml::Allowed allowed;
        if (watchers.guide != nullptr) {
            allowed = watchers.guide->next(n_left);
            watchers.guide->accept(id);
        }
        replayed.n_drawn += allowed.kind != ml::Allowed::Kind::kForced;
        watchers.parser.push({.id = id, .logprob = {}});
        --n_left;
    }
    watchers.handler = std::move(real);
    replayed.events.emplace_back(chat_event::Resumed{});
    return replayed;
}

}  // namespace notso::services

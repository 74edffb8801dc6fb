// Sorts the tokens by their bytes; each adds the nodes that it does not share with the one before.
#include "ml/grammar/token_trie.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace notso::ml {
namespace {

std::vector<std::pair<std::string_view, std::int32_t>> texts_of(const Tokenizer& tokenizer) {
    const auto ends = tokenizer.end_tokens();
    std::vector<std::pair<std::string_view, std::int32_t>> texts;
    for (std::size_t i = 0; i < tokenizer.vocab_size(); ++i) {
        const TokenId id{static_cast<std::int32_t>(i)};
        if (tokenizer.is_control(id) || std::ranges::find(ends, id) != ends.end()) continue;
        const std::string_view bytes = tokenizer.token_bytes(id);
        if (!bytes.empty() && bytes.size() <= kLongestTokenBytes)
            texts.emplace_back(bytes, to_int(id));
    }
    std::ranges::sort(texts);
    return texts;
}

}  // namespace

TokenTrie::TokenTrie(const Tokenizer& tokenizer)
    : n_vocab_(tokenizer.vocab_size()),
      end_tokens_(tokenizer.end_tokens().begin(), tokenizer.end_tokens().end()) {
    roots_.fill(kNoNode);
    std::vector<std::uint32_t> path;  // the nodes of the token before
    std::string_view before;
    const auto close = [&](std::size_t depth) {
        for (; path.size() > depth; path.pop_back())
            nodes_[path.back()].end = static_cast<std::uint32_t>(nodes_.size());
    };
    for (const auto& [bytes, id] : texts_of(tokenizer)) {
        const auto same = std::ranges::mismatch(bytes, before).in1 - bytes.begin();
        close(static_cast<std::size_t>(same));
        while (path.size() < bytes.size()) {
            path.push_back(static_cast<std::uint32_t>(nodes_.size()));
            const auto byte = static_cast<std::uint8_t>(bytes[path.size() - 1]);
            if (path.size() == 1) roots_[byte] = path.back();
            nodes_.push_back({.byte = byte, .depth = static_cast<std::uint8_t>(path.size())});
        }
        Node& last = nodes_[path.back()];
        if (last.token >= 0) {
            last.has_more = true;
            more_.emplace_back(path.back(), id);
        } else {
            last.token = id;
        }
        if (bytes.size() == 1) has_byte_.set(static_cast<std::uint8_t>(bytes[0]));
        before = bytes;
    }
    close(0);
    nodes_.shrink_to_fit();
}

std::uint32_t TokenTrie::child(std::uint32_t node, std::uint8_t byte) const {
    if (node == kNoNode) return roots_[byte];
    const std::uint32_t end = nodes_[node].end;
    for (std::uint32_t at = node + 1; at < end; at = nodes_[at].end)
        if (nodes_[at].byte == byte) return at;
    return kNoNode;
}

void TokenTrie::mark_more(std::size_t node, std::span<std::uint64_t> mask) const {
    auto at = std::ranges::lower_bound(
        more_, std::pair{static_cast<std::uint32_t>(node), std::int32_t{0}});
    for (; at != more_.end() && at->first == node; ++at) set(mask, at->second);
}

}  // namespace notso::ml

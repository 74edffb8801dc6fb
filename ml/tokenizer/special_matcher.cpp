#include "ml/tokenizer/special_matcher.hpp"

#include <algorithm>
#include <functional>

#include "base/log.hpp"

namespace notso::ml {

Result<> SpecialMatcher::add(std::string_view text, TokenId id) {
    if (text.empty()) return {};
    if (text.size() > kMaxLength) {
        return fail(ErrorCode::kCorruptData,
                    "control token {} has {} bytes, at most {} are allowed: {}",
                    to_int(id),
                    text.size(),
                    kMaxLength,
                    log::field(text.substr(0, 64)));
    }
    ids_.insert_or_assign(std::string(text), id);
    auto& lengths = lengths_[static_cast<unsigned char>(text.front())];
    const auto at = std::ranges::lower_bound(lengths, text.size(), std::greater<>{});
    if (at == lengths.end() || *at != text.size()) lengths.insert(at, text.size());
    return {};
}

std::optional<SpecialMatcher::Match> SpecialMatcher::find(
    std::string_view text, std::size_t from, std::span<const std::size_t> forbidden) const {
    auto next_forbidden = std::ranges::lower_bound(forbidden, from);
    for (std::size_t pos = from; pos < text.size(); ++pos) {
        const auto& lengths = lengths_[static_cast<unsigned char>(text[pos])];
        if (lengths.empty()) continue;
        while (next_forbidden != forbidden.end() && *next_forbidden < pos) ++next_forbidden;
        if (next_forbidden != forbidden.end() && *next_forbidden == pos) continue;
        for (const std::size_t length : lengths) {
            if (length > text.size() - pos) continue;
            if (const auto id = exact(text.substr(pos, length)))
                return Match{pos, pos + length, *id};
        }
    }
    return std::nullopt;
}

std::optional<TokenId> SpecialMatcher::exact(std::string_view text) const {
    const auto found = ids_.find(text);
    if (found == ids_.end()) return std::nullopt;
    return found->second;
}

}  // namespace notso::ml

#include "ml/tokenizer/bpe_tokenizer.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "ml/tokenizer/byte_level.hpp"

namespace notso::ml {
namespace {

/// Control tokens that end a turn in the families we know, wherever a vocabulary has them.
constexpr std::string_view kEndNames[] = {
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end|>",
    "<end_of_turn>",
    "</s>",
};

// Positions in a word are 32 bits wide; a longer run of letters is cut, which no other tokenizer
// gets to see.
constexpr std::size_t kMaxWord = std::size_t{1} << 31;

}  // namespace

/// State of one encode() call.
struct BpeTokenizer::Encoding {
    std::string_view text;
    std::span<const std::size_t> literal_offsets;
    WordMerger merger;
    std::vector<std::uint32_t> word;
    std::vector<TokenId> ids;
};

Result<std::shared_ptr<const Tokenizer>> BpeTokenizer::make(const VocabularySource& source) {
    const std::shared_ptr<BpeTokenizer> tokenizer(new BpeTokenizer);
    tokenizer->pre_tokenizer_ = source.pre_tokenizer;
    tokenizer->ignore_merges_ = source.ignore_merges;
    tokenizer->bos_ = source.bos;
    tokenizer->eos_ = source.eos;
    tokenizer->adds_bos_ = source.adds_bos && source.bos.has_value();
    tokenizer->add_tokens(source);
    NOTSO_CHECK(tokenizer->add_merges(source));
    NOTSO_CHECK(tokenizer->add_specials(source));
    tokenizer->choose_end_tokens(source);
    return tokenizer;
}

void BpeTokenizer::add_tokens(const VocabularySource& source) {
    kinds_ = source.kinds;
    words_.reserve(source.tokens.size());
    starts_.reserve(source.tokens.size() + 1);
    for (std::size_t id = 0; id < source.tokens.size(); ++id) {
        starts_.push_back(bytes_.size());
        const std::string_view written = source.tokens[id];
        const auto bytes = bytes_of_written(written);
        bytes_ += bytes && kinds_[id] == TokenKind::kNormal ? std::string_view(*bytes) : written;
        if (!bytes || bytes->empty() || !source.mergeable[id]) continue;
        longest_word_ = std::max(longest_word_, bytes->size());
        // Of two tokens with one text the last one counts, as in the reference.
        words_.insert_or_assign(*bytes, static_cast<std::uint32_t>(id));
    }
    starts_.push_back(bytes_.size());

    const auto unknown =
        source.unknown ? static_cast<std::uint32_t>(to_int(*source.unknown)) : kNoToken;
    for (std::size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
        const char text = static_cast<char>(byte);
        const auto found = words_.find(std::string_view(&text, 1));
        byte_tokens_[byte] = found == words_.end() ? unknown : found->second;
    }
}

Result<> BpeTokenizer::add_merges(const VocabularySource& source) {
    std::unordered_map<std::string_view, std::uint32_t> by_text;
    by_text.reserve(source.tokens.size());
    for (std::size_t id = 0; id < source.tokens.size(); ++id) {
        if (source.mergeable[id]) {
            by_text.insert_or_assign(source.tokens[id], static_cast<std::uint32_t>(id));
        }
    }
    merges_ = MergeTable(source.merges.size());
    std::string joined;
    for (std::size_t rank = 0; rank < source.merges.size(); ++rank) {
        const auto [left, right] = source.merges[rank];
        joined.assign(left).append(right);
        std::array<std::uint32_t, 3> ids{};
        const std::array<std::string_view, 3> texts = {left, right, joined};
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto found = by_text.find(texts[i]);
            if (texts[i].empty() || found == by_text.end()) {
                return fail(ErrorCode::kCorruptData,
                            "merge {} ({} + {}) needs {}, which is no token",
                            rank,
                            log::field(left),
                            log::field(right),
                            log::field(texts[i]));
            }
            ids[i] = found->second;
        }
        merges_.add(ids[0], ids[1], {static_cast<std::uint32_t>(rank), ids[2]});
    }
    return {};
}

Result<> BpeTokenizer::add_specials(const VocabularySource& source) {
    for (const SpecialToken& token : source.specials) {
        NOTSO_CHECK(specials_[token.second_pass ? 1 : 0].add(token.text, token.id));
    }
    return {};
}

void BpeTokenizer::choose_end_tokens(const VocabularySource& source) {
    std::vector<TokenId> ends;
    if (eos_) ends.push_back(*eos_);
    ends.insert(ends.end(), source.end_tokens.begin(), source.end_tokens.end());
    for (const std::string_view name : kEndNames) {
        const auto id = find(name);
        if (id && is_control(*id)) ends.push_back(*id);
    }
    for (const TokenId id : ends) {
        if (std::ranges::find(end_tokens_, id) == end_tokens_.end()) end_tokens_.push_back(id);
    }
}

std::vector<TokenId> BpeTokenizer::encode(std::string_view text,
                                          const EncodeOptions& options) const {
    Encoding encoding{
        .text = text,
        .literal_offsets = options.literal_offsets,
        .merger = WordMerger(merges_),
        .word = {},
        .ids = {},
    };
    if (options.special == SpecialTokens::kParse) {
        encode_specials(encoding, 0, text.size(), 0);
    } else {
        encode_plain(encoding, text);
    }
    return std::move(encoding.ids);
}

void BpeTokenizer::encode_specials(Encoding& encoding,
                                   std::size_t begin,
                                   std::size_t end,
                                   std::size_t pass) const {
    if (pass == specials_.size()) {
        encode_plain(encoding, encoding.text.substr(begin, end - begin));
        return;
    }
    const std::string_view text = encoding.text.substr(0, end);
    while (const auto match = specials_[pass].find(text, begin, encoding.literal_offsets)) {
        encode_specials(encoding, begin, match->begin, pass + 1);
        encoding.ids.push_back(match->id);
        begin = match->end;
    }
    encode_specials(encoding, begin, end, pass + 1);
}

void BpeTokenizer::encode_plain(Encoding& encoding, std::string_view text) const {
    WordScanner scanner(pre_tokenizer_, text);
    for (auto word = scanner.next(); !word.empty(); word = scanner.next()) {
        for (std::size_t at = 0; at < word.size(); at += kMaxWord) {
            encode_word(encoding, word.substr(at, kMaxWord));
        }
    }
}

void BpeTokenizer::encode_word(Encoding& encoding, std::string_view word) const {
    if (ignore_merges_ && word.size() <= longest_word_) {
        if (const auto whole = words_.find(word); whole != words_.end()) {
            encoding.ids.push_back(static_cast<TokenId>(whole->second));
            return;
        }
    }
    auto& tokens = encoding.word;
    tokens.clear();
    for (const char c : word) {
        const std::uint32_t token = byte_tokens_[static_cast<unsigned char>(c)];
        if (token != kNoToken) tokens.push_back(token);
    }
    encoding.merger.merge(tokens);
    for (const std::uint32_t token : tokens) encoding.ids.push_back(static_cast<TokenId>(token));
}

std::string_view BpeTokenizer::token_bytes(TokenId id) const {
    const std::size_t i = to_index(id);
    if (i >= kinds_.size()) return {};
    return std::string_view(bytes_).substr(starts_[i], starts_[i + 1] - starts_[i]);
}

std::string BpeTokenizer::decode(std::span<const TokenId> ids, bool with_control) const {
    std::string text;
    for (const TokenId id : ids) {
        if (with_control || !is_control(id)) text += token_bytes(id);
    }
    return text;
}

std::optional<TokenId> BpeTokenizer::find(std::string_view text) const {
    for (const SpecialMatcher& matcher : specials_) {
        if (const auto id = matcher.exact(text)) return id;
    }
    const auto found = words_.find(text);
    if (found == words_.end()) return std::nullopt;
    return static_cast<TokenId>(found->second);
}

bool BpeTokenizer::is_control(TokenId id) const {
    const std::size_t i = to_index(id);
    return i < kinds_.size() && kinds_[i] == TokenKind::kControl;
}

Result<std::shared_ptr<const Tokenizer>> make_bpe_tokenizer(const VocabularySource& source) {
    return BpeTokenizer::make(source);
}

}  // namespace notso::ml

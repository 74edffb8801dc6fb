// See loop_detector.hpp.
#include "services/backend/loop_detector.hpp"

#include <algorithm>
#include <functional>

namespace notso::services {
namespace {

// Repeated tokens: three copies at least of a long stretch, more of a short one, so that a list of
// dots or a table of zeros is no loop yet.
constexpr std::size_t kMinRepeated = 48;
constexpr std::size_t kMinCopiesAfter = 2;
// Short sentences ("Wait.", "Hmm.") may return; long ones that return this often are a loop.
constexpr std::size_t kMinSentenceBytes = 24;
constexpr std::size_t kMaxSentenceBytes = 1024;
constexpr std::ptrdiff_t kSameSentences = 4;

bool ends_sentence(char c) { return c == '.' || c == '!' || c == '?' || c == '\n'; }

bool counts(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

}  // namespace

void LoopDetector::push(ml::TokenId id, std::string_view bytes) {
    const std::size_t longest = std::min(n_tokens_, kMaxPeriod);
    for (std::size_t period = 1; period <= longest; ++period) {
        const bool same = recent_[(n_tokens_ - period) % kMaxPeriod] == id;
        run_[period] = same ? run_[period] + 1 : 0;
        looping_ |= run_[period] >= std::max(kMinRepeated, kMinCopiesAfter * period);
    }
    recent_[n_tokens_ % kMaxPeriod] = id;
    ++n_tokens_;
    for (const char c : bytes) {
        if (ends_sentence(c)) end_sentence();
        if (counts(c) && sentence_.size() < kMaxSentenceBytes) sentence_ += c;
    }
}

void LoopDetector::end_sentence() {
    if (sentence_.size() >= kMinSentenceBytes) {
        const std::size_t hash = std::hash<std::string>()(sentence_);
        const std::size_t n = std::min(n_sentences_, kSentences);
        const auto end = hashes_.begin() + static_cast<std::ptrdiff_t>(n);
        looping_ |= std::count(hashes_.begin(), end, hash) >= kSameSentences - 1;
        hashes_[n_sentences_++ % kSentences] = hash;
    }
    sentence_.clear();
}

}  // namespace notso::services

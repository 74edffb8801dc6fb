// See grammar_matcher.hpp.
#include "ml/grammar/grammar_matcher.hpp"

#include <algorithm>
#include <utility>

namespace notso::ml {
namespace {

constexpr std::size_t kMaxOldFrames = 50'000;  // of which few are in use

}  // namespace

GrammarMatcher::GrammarMatcher(std::shared_ptr<GrammarMasks> masks)
    : masks_(std::move(masks)),
      pool_(masks_->grammar(), masks_->to_end()),
      config_(pool_.start()) {}

bool GrammarMatcher::accept(std::string_view bytes) {
    for (const char byte : bytes) config_ = pool_.step(config_, static_cast<std::uint8_t>(byte));
    if (pool_.size() > kMaxOldFrames) forget_old_frames();
    return is_complete() || can_go_on();
}

std::uint32_t GrammarMatcher::n_to_end() const {
    std::uint32_t least = is_complete() ? 0 : kNeverEnds;
    for (const Item& item : config_.items) least = std::min(least, pool_.n_to_end(item));
    return least;
}

TokenMask GrammarMatcher::mask(std::uint32_t n_left) {
    const Known& all = unlimited();
    const std::uint32_t n_after = n_left == 0 ? 0 : n_left - 1;
    if (all.bounds.most_after <= n_after) return all.mask;
    const std::uint32_t n_most =
        is_complete() ? n_after : std::max(n_after, all.bounds.least_after);
    limited_.assign(all.mask.size(), 0);
    masks_->fill(pool_, config_, n_most, limited_);
    add_ends(limited_);
    return limited_;
}

const GrammarMatcher::Known& GrammarMatcher::unlimited() {
    const auto same = std::ranges::find(known_, config_, &Known::config);
    if (same != known_.end() && !same->mask.empty()) return *same;
    Known& made = known_[oldest_];
    oldest_ = (oldest_ + 1) % known_.size();
    made.config = config_;
    made.mask.assign(mask_words(masks_->trie().n_vocab()), 0);
    made.bounds = masks_->fill(pool_, config_, kNeverEnds, made.mask);
    add_ends(made.mask);
    return made;
}

void GrammarMatcher::add_ends(std::vector<std::uint64_t>& mask) const {
    if (!is_complete()) return;
    for (const TokenId id : masks_->trie().end_tokens())
        mask[to_index(id) / 64] |= std::uint64_t{1} << (to_index(id) % 64);
}

/// Keeps the frames below the items of now.
void GrammarMatcher::forget_old_frames() {
    StackPool kept(masks_->grammar(), masks_->to_end());
    for (Item& item : config_.items) {
        std::vector<Frame> frames;
        for (FrameId id = item.below; id != kBottom; id = pool_.frame(id).below)
            frames.push_back(pool_.frame(id));
        item.below = kBottom;
        for (std::size_t i = frames.size(); i-- > 0;) {
            frames[i].below = item.below;
            item.below = kept.push(frames[i]);
        }
    }
    pool_.take_frames(std::move(kept));
    for (Known& known : known_) known.mask.clear();
}

}  // namespace notso::ml

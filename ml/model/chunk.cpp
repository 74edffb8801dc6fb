#include "ml/model/chunk.hpp"

#include <algorithm>
#include <functional>

#include "ml/runtime/kv_cache.hpp"

namespace notso::ml {

Result<> check_caches_differ(std::span<const Segment> segments) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (&segments[i].cache == &segments[j].cache) {
                return fail(ErrorCode::kInvalidArgument,
                            "sequences {} and {} of {} share a cache",
                            j,
                            i,
                            segments.size());
            }
        }
    }
    return {};
}

Chunk::Chunk() {
    // None of the lists has more entries than the chunk has tokens.
    parts.reserve(kChunkTokens);
    logits.reserve(kChunkTokens);
    blocks.reserve(kChunkTokens);
}

void Chunk::clear() noexcept {
    runs = {};
    parts.clear();
    logits.clear();
    blocks.clear();
}

void Chunk::cut_attention(std::int32_t most) noexcept {
    blocks.clear();
    for (const ChunkPart& part : parts) {
        for (std::int32_t first = 0; first < part.size(); first += most)
            blocks.push_back({&part, first, std::min(most, part.size() - first)});
    }
    std::ranges::sort(blocks, std::ranges::greater(), &AttentionBlock::cost);
}

bool ChunkCutter::next(Chunk& chunk) noexcept {
    chunk.clear();
    while (chunk.size() < kChunkTokens && find_tokens()) {
        const std::size_t left = segments_[segment_].tokens.size() - token_;
        take(chunk, std::min(left, extent(kChunkTokens - chunk.size())));
    }
    return chunk.size() > 0;
}

bool ChunkCutter::find_tokens() noexcept {
    while (true) {
        for (; segment_ < segments_.size(); ++segment_, token_ = 0) {
            const Segment& segment = segments_[segment_];
            if (segment.precision == precision_ && token_ < segment.tokens.size()) return true;
        }
        if (precision_ == Precision::kFast) return false;
        precision_ = Precision::kFast;
        segment_ = 0;
    }
}

void ChunkCutter::take(Chunk& chunk, std::size_t n_tokens) noexcept {
    const Segment& segment = segments_[segment_];
    const std::int32_t first_row = chunk.size();
    chunk.parts.push_back({.cache = &segment.cache,
                           .tokens = segment.tokens.subspan(token_, n_tokens),
                           .first_row = first_row,
                           .first_pos = segment.cache.size()});
    const std::size_t silent = segment.tokens.size() - segment.logits.size() / n_vocab_;
    for (std::size_t i = std::max(token_, silent); i < token_ + n_tokens; ++i) {
        chunk.logits.push_back({.row = first_row + static_cast<std::int32_t>(i - token_),
                                .out = segment.logits.data() + (i - silent) * n_vocab_});
    }
    const auto n = static_cast<std::int32_t>(n_tokens);
    (precision_ == Precision::kExact ? chunk.runs.n_exact : chunk.runs.n_fast) += n;
    token_ += n_tokens;
}

}  // namespace notso::ml

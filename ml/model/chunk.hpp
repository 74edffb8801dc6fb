// Chunk: the tokens of several sequences that go through the layers together, and how a batch of
// sequences is cut into chunks. Knows rows and positions; knows nothing of weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ml/model/model.hpp"
#include "ml/model/workspace.hpp"

namespace notso::ml {

/// @errors kInvalidArgument when two segments have the same cache.
Result<> check_caches_differ(std::span<const Segment> segments);

/// Neighbouring rows of a chunk: tokens of one sequence.
struct ChunkPart {
    KvCache* cache;
    std::span<const TokenId> tokens;
    std::int32_t first_row;  ///< Row of the first token in the buffers of the Workspace.
    std::int32_t first_pos;  ///< Its position in the sequence.

    std::int32_t size() const noexcept { return static_cast<std::int32_t>(tokens.size()); }
};

/// A row of a chunk whose logits are wanted.
struct LogitsRow {
    std::int32_t row;
    float* out;  ///< [n_vocab]
};

/// Tokens of one part that attend together.
struct AttentionBlock {
    const ChunkPart* part;
    std::int32_t first;  ///< Within the part.
    std::int32_t n_tokens;

    /// Queries times keys, for each head.
    std::int64_t cost() const noexcept {
        return std::int64_t{n_tokens} * (part->first_pos + first + n_tokens);
    }
};

/// Made once and filled again for every step: the lists keep their memory.
struct Chunk {
    Chunk();
    Chunk(Chunk&&) = delete;

    std::int32_t size() const noexcept { return runs.size(); }
    void clear() noexcept;
    /// Cuts all parts into blocks of at most `most` tokens, the costliest first, so that short
    /// tasks fill the gaps at the end.
    void cut_attention(std::int32_t most) noexcept;

    TokenRuns runs;                 ///< Of its rows.
    std::vector<ChunkPart> parts;   ///< Cover all rows, in order.
    std::vector<LogitsRow> logits;  ///< By ascending row.
    std::vector<AttentionBlock> blocks;
};

/// Cuts segments into chunks of at most kChunkTokens: first the exact tokens of all segments, then
/// the fast ones, the tokens of each segment in their order.
class ChunkCutter {
  public:
    ChunkCutter(std::span<const Segment> segments, std::int32_t n_vocab) noexcept
        : segments_(segments), n_vocab_(extent(n_vocab)) {}

    /// Fills `chunk` with the next tokens; false when there are none left. The caches hold the
    /// tokens of all chunks before it by then.
    bool next(Chunk& chunk) noexcept;

  private:
    /// Goes to the next segment with tokens left, if need be; false at the end.
    bool find_tokens() noexcept;
    void take(Chunk& chunk, std::size_t n_tokens) noexcept;

    std::span<const Segment> segments_;
    std::size_t n_vocab_;
    Precision precision_ = Precision::kExact;
    std::size_t segment_ = 0;
    std::size_t token_ = 0;  // of that segment
};

}  // namespace notso::ml

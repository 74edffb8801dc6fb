// GrammarMatcher: one text that follows a grammar, byte by byte, and the tokens that may come next.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "ml/grammar/grammar_masks.hpp"
#include "ml/grammar/stack_pool.hpp"
#include "ml/sampling/token_guide.hpp"

namespace notso::ml {

class GrammarMatcher {
  public:
    explicit GrammarMatcher(std::shared_ptr<GrammarMasks> masks);

    /// Goes on with these bytes; false where they do not fit: then nothing fits any more.
    bool accept(std::string_view bytes);

    /// The text is whole as it is.
    bool is_complete() const noexcept { return config_.at_bottom; }
    /// Something may follow.
    bool can_go_on() const noexcept { return !config_.items.empty(); }
    /// False when the text had too many readings to follow all: it may then not be ended in time.
    bool is_exact() const noexcept { return !pool_.has_dropped(); }
    /// Least tokens to a whole text; never too few.
    std::uint32_t n_to_end() const;

    /// The tokens that may follow, end tokens included where the text is whole.
    /// @param n_left  Tokens that there is room for: tokens are left out after which the text could
    ///                not be ended in time. Where it can't anyway, those that bring the end nearest
    ///                are left.
    /// @return Valid until the next call.
    TokenMask mask(std::uint32_t n_left);

  private:
    struct Known {
        Config config;
        std::vector<std::uint64_t> mask;
        MaskBounds bounds;
    };

    const Known& unlimited();
    void add_ends(std::vector<std::uint64_t>& mask) const;
    void forget_old_frames();

    std::shared_ptr<GrammarMasks> masks_;
    StackPool pool_;
    Config config_;
    std::array<Known, 4> known_;  // the last masks without a limit
    std::size_t oldest_ = 0;
    std::vector<std::uint64_t> limited_;
};

}  // namespace notso::ml

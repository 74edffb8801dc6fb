// Stacks of a grammar that is being followed, and how a byte changes them. Stacks share what lies
// below their top; equal ones are the same number, so that they are compared at no cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "ml/grammar/grammar.hpp"

namespace notso::ml {

/// Number of a frame in its pool; what lies below the lowest known one is kBottom.
using FrameId = std::int32_t;
inline constexpr FrameId kBottom = 0;

/// Where to go on when a rule or a pass of a loop's body is through.
struct Frame {
    StateId state = -1;
    std::int32_t count = 0;  ///< Passes of the loop that were begun.
    FrameId below = kBottom;
    bool is_loop = false;        ///< `state` is a loop whose body is above; otherwise a rule is.
    std::uint32_t n_to_end = 0;  ///< Least tokens from here through all frames below.
    std::int32_t depth = 0;
};

/// A way through the grammar: a state that waits for a byte, and the frames below it.
struct Item {
    StateId state = -1;
    FrameId below = kBottom;
    bool operator==(const Item&) const = default;
};

/// All ways that fit the text so far.
struct Config {
    std::vector<Item> items;  ///< In the order they were found.
    bool at_bottom = false;   ///< The text may also end here, as far as the frames reach.
    bool operator==(const Config&) const = default;
};

/// Least tokens from each state to the end of its rule or of its loop's body.
using TokensToEnd = std::vector<std::uint32_t>;

class StackPool {
  public:
    /// @param grammar, to_end  Must outlive the pool.
    StackPool(const Grammar& grammar, const TokensToEnd& to_end);

    const Frame& frame(FrameId id) const { return frames_[static_cast<std::size_t>(id)]; }
    /// The frame with these contents, made when there is none. kBottom when it would be too deep.
    FrameId push(Frame frame);
    std::size_t size() const noexcept { return frames_.size(); }
    void clear();
    /// Takes the place of its own frames.
    void take_frames(StackPool&& other);

    /// The beginning of the grammar.
    Config start();
    /// What follows a byte. A text with too many readings keeps those nearest to their end.
    Config step(const Config& config, std::uint8_t byte);
    /// What follows when all above a frame is through; nothing for kBottom.
    Config pop(FrameId id);

    /// Some readings of the text were too many or too deep to be followed.
    bool has_dropped() const noexcept { return has_dropped_; }

    /// Least tokens from an item to the bottom.
    std::uint32_t n_to_end(const Item& item) const {
        return to_end_[static_cast<std::size_t>(item.state)] + frame(item.below).n_to_end;
    }

  private:
    struct Point {
        StateId state;
        std::int32_t count;
        FrameId below;
        bool operator==(const Point&) const = default;
    };
    struct Key {
        Point point;
        bool is_loop;
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Point& point) const noexcept;
        std::size_t operator()(const Key& key) const noexcept {
            return (*this)(key.point) * 2 + key.is_loop;
        }
    };

    void close(std::vector<Point> open, Config& out);
    bool visit(const Point& point);
    void keep(const Item& item, std::vector<Item>& items);
    void follow(const Point& point, std::vector<Point>& open, Config& out);
    void follow_loop(const GrammarState& loop, const Point& point, std::vector<Point>& open);
    void end(const Point& point, std::vector<Point>& open, Config& out);

    const Grammar& grammar_;
    const TokensToEnd& to_end_;
    std::vector<Frame> frames_;
    std::unordered_map<Key, FrameId, Hash> known_;
    // Of the closure that is made:
    std::vector<Point> visited_;
    std::vector<FrameId> new_passes_;    // loop frames that it began
    std::vector<std::uint32_t> stamps_;  // by state: the closure that last visited it
    std::uint32_t stamp_ = 0;
    bool has_dropped_ = false;
};

/// A count that allows the same next kLongestTokenBytes bytes: large ones are alike.
std::int32_t alike_count(const GrammarState& loop, std::int32_t count);

}  // namespace notso::ml

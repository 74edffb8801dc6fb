// The closure: from points between bytes to the states that wait for one. Left recursion was
// refused by the compiler, and a loop's pass that reads nothing is not counted, so it ends.
#include "ml/grammar/stack_pool.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "ml/grammar/token_trie.hpp"

namespace notso::ml {
namespace {

using Kind = GrammarState::Kind;

constexpr std::size_t kMaxItems = 256;     // readings of a text that are followed
constexpr std::size_t kMaxVisited = 2048;  // points of a closure
constexpr std::int32_t kMaxDepth = 1000;   // frames of a stack

}  // namespace

StackPool::StackPool(const Grammar& grammar, const TokensToEnd& to_end)
    : grammar_(grammar), to_end_(to_end), stamps_(grammar.states().size()) {
    clear();
}

void StackPool::clear() {
    frames_.assign(1, Frame{});
    known_.clear();
}

void StackPool::take_frames(StackPool&& other) {
    frames_ = std::move(other.frames_);
    known_ = std::move(other.known_);
}

std::size_t StackPool::Hash::operator()(const Point& point) const noexcept {
    std::uint64_t x = static_cast<std::uint32_t>(point.state);
    x = (x ^ static_cast<std::uint64_t>(static_cast<std::uint32_t>(point.count)) << 32) *
        0x9E3779B97F4A7C15;
    x = (x ^ x >> 29 ^ static_cast<std::uint32_t>(point.below)) * 0xBF58476D1CE4E5B9;
    return static_cast<std::size_t>(x ^ x >> 32);
}

FrameId StackPool::push(Frame frame) {
    const auto next = static_cast<FrameId>(frames_.size());
    frame.depth = this->frame(frame.below).depth + 1;
    if (frame.depth > kMaxDepth) {
        has_dropped_ = true;
        return kBottom;
    }
    const Key key{{frame.state, frame.count, frame.below}, frame.is_loop};
    const auto [known, is_new] = known_.try_emplace(key, next);
    if (!is_new) return known->second;
    const GrammarState& state = grammar_.state(frame.state);
    std::uint64_t n = this->frame(frame.below).n_to_end;
    if (frame.is_loop) {
        const auto passes = static_cast<std::uint64_t>(std::max(0, state.min - frame.count));
        n += passes * to_end_[static_cast<std::size_t>(state.body)] +
             to_end_[static_cast<std::size_t>(state.next)];
    } else {
        n += to_end_[static_cast<std::size_t>(frame.state)];
    }
    frame.n_to_end = static_cast<std::uint32_t>(std::min<std::uint64_t>(n, kNeverEnds));
    frames_.push_back(frame);
    return next;
}

Config StackPool::start() {
    Config config;
    close({{grammar_.root(), 0, kBottom}}, config);
    return config;
}

Config StackPool::step(const Config& config, std::uint8_t byte) {
    std::vector<Point> open;
    for (const Item& item : config.items) {
        for (const ByteEdge& edge : grammar_.edges(grammar_.state(item.state)))
            if (byte >= edge.first && byte <= edge.last)
                open.push_back({edge.target, 0, item.below});
    }
    Config next;
    close(std::move(open), next);
    return next;
}

Config StackPool::pop(FrameId id) {
    Config next;
    if (id == kBottom) return next;
    const Frame& top = frame(id);
    close({{top.state, top.count, top.below}}, next);
    return next;
}

void StackPool::close(std::vector<Point> open, Config& out) {
    visited_.clear();
    new_passes_.clear();
    if (++stamp_ == 0) stamps_.assign(stamps_.size(), 0), stamp_ = 1;
    std::ranges::reverse(open);
    while (!open.empty()) {
        const Point point = open.back();
        open.pop_back();
        if (grammar_.state(point.state).kind == Kind::kBytes) {
            keep({point.state, point.below}, out.items);
            continue;
        }
        if (visit(point)) follow(point, open, out);
    }
}

/// Of too many, those that are nearest to their end stay.
void StackPool::keep(const Item& item, std::vector<Item>& items) {
    if (std::ranges::find(items, item) != items.end()) return;
    if (items.size() < kMaxItems) return items.push_back(item);
    has_dropped_ = true;
    const auto n = [this](const Item& one) { return n_to_end(one); };
    const auto farthest = std::ranges::max_element(items, {}, n);
    if (n(item) < n(*farthest)) *farthest = item;
}

/// False when the closure has been there, or at too many places.
bool StackPool::visit(const Point& point) {
    std::uint32_t& stamp = stamps_[static_cast<std::size_t>(point.state)];
    if (stamp == stamp_ && std::ranges::find(visited_, point) != visited_.end()) return false;
    if (visited_.size() == kMaxVisited) {
        has_dropped_ = true;
        return false;
    }
    stamp = stamp_;
    visited_.push_back(point);
    return true;
}

/// A point's successors go to the end of `open` so that the first of them is looked at first.
void StackPool::follow(const Point& point, std::vector<Point>& open, Config& out) {
    const GrammarState& state = grammar_.state(point.state);
    switch (state.kind) {
        case Kind::kBytes:
            return;
        case Kind::kSplit: {
            const auto targets = grammar_.targets(state);
            for (std::size_t i = targets.size(); i-- > 0;)
                open.push_back({targets[i], 0, point.below});
            return;
        }
        case Kind::kCall: {
            FrameId below = point.below;
            if (grammar_.state(state.next).kind != Kind::kEnd) {
                below = push({.state = state.next, .below = point.below});
                if (below == kBottom) return;
            }
            open.push_back({grammar_.start(state.rule), 0, below});
            return;
        }
        case Kind::kLoop:
            return follow_loop(state, point, open);
        case Kind::kEnd:
        case Kind::kLoopEnd:
            return end(point, open, out);
    }
}

void StackPool::follow_loop(const GrammarState& loop,
                            const Point& point,
                            std::vector<Point>& open) {
    // A pass that reads nothing counts for all that are wanted.
    const bool may_be_empty = grammar_.bytes_to_end(loop.body) == 0;
    if (point.count >= loop.min || may_be_empty) open.push_back({loop.next, 0, point.below});
    if (point.count >= loop.max) return;
    const std::int32_t begun =
        loop.max == kNoLimit ? std::min(point.count + 1, std::max(loop.min, 1)) : point.count + 1;
    const FrameId below =
        push({.state = point.state, .count = begun, .below = point.below, .is_loop = true});
    if (below == kBottom) return;
    new_passes_.push_back(below);
    open.push_back({loop.body, 0, below});
}

void StackPool::end(const Point& point, std::vector<Point>& open, Config& out) {
    if (point.below == kBottom) {
        out.at_bottom = true;
        return;
    }
    const Frame& top = frame(point.below);
    const bool read_nothing = top.is_loop &&
                              grammar_.bytes_to_end(grammar_.state(top.state).body) == 0 &&
                              std::ranges::find(new_passes_, point.below) != new_passes_.end();
    if (!read_nothing) open.push_back({top.state, top.count, top.below});
}

std::int32_t alike_count(const GrammarState& loop, std::int32_t count) {
    constexpr auto kAhead = static_cast<std::int32_t>(kLongestTokenBytes) + 1;
    if (count < loop.min - kAhead) return loop.min - kAhead - 1;
    if (loop.max != kNoLimit && count >= loop.min && count < loop.max - kAhead)
        return std::max(loop.min, loop.max - kAhead - 1);
    return count;
}

}  // namespace notso::ml

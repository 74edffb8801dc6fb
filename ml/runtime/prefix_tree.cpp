// Invariants: a node with children is full, so no page is reached on two ways; no two children of a
// node hold texts of which one begins the other.
#include "ml/runtime/prefix_tree.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace notso::ml {
namespace {

/// Tokens that both begin with.
std::size_t common(std::span<const TokenId> a, std::span<const TokenId> b) {
    return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

struct PrefixTree::Node {
    std::vector<TokenId> tokens;  // at most kPageTokens
    KvPage page{};
    std::vector<std::unique_ptr<Node>> children;
    std::uint64_t last_use = 0;
    bool used_again = false;  // found by a text after the one that made it
};

/// The leaf that goes next, of those seen so far.
struct PrefixTree::Leaf {
    Node* parent = nullptr;
    std::size_t child = 0;
    std::pair<bool, std::uint64_t> worth{};
};

PrefixTree::PrefixTree(KvPool& pool) : pool_(pool), root_(std::make_unique<Node>()) {}

PrefixTree::~PrefixTree() {
    // Node by node: a long text would be a deep recursion.
    std::vector<std::unique_ptr<Node>> open = std::move(root_->children);
    while (!open.empty()) {
        const std::unique_ptr<Node> node = std::move(open.back());
        open.pop_back();
        pool_.drop_user(node->page);
        std::ranges::move(node->children, std::back_inserter(open));
    }
}

PrefixTree::Match PrefixTree::find(std::span<const TokenId> tokens) {
    Match match;
    ++now_;
    for (Node* node = root_.get(); node != nullptr && !tokens.empty();) {
        Node* best = nullptr;
        std::size_t n_best = 0;
        for (const auto& child : node->children) {
            const std::size_t n = common(child->tokens, tokens);
            if (n > n_best) std::tie(best, n_best) = std::pair(child.get(), n);
        }
        if (best == nullptr) break;
        best->last_use = now_;
        best->used_again = true;
        match.pages.push_back(best->page);
        match.n_tokens += static_cast<std::int32_t>(n_best);
        tokens = tokens.subspan(n_best);
        node = n_best == kPageTokens ? best : nullptr;
    }
    return match;
}

void PrefixTree::insert(std::span<const TokenId> tokens, std::span<const KvPage> pages) {
    NOTSO_ASSERT(std::ssize(pages) >= pages_for(static_cast<std::int32_t>(tokens.size())),
                 "every token is in a page");
    ++now_;
    Node* node = root_.get();
    for (std::size_t i = 0; node != nullptr && !tokens.empty(); ++i) {
        const std::size_t n = std::min<std::size_t>(kPageTokens, tokens.size());
        node = extend(*node, tokens.first(n), pages[i]);
        tokens = tokens.subspan(n);
    }
}

/// The child that holds these tokens: one that did already, one that held their beginning and gets
/// the page instead of its own, or a new one. Null when the child goes on beyond them.
PrefixTree::Node* PrefixTree::extend(Node& parent, std::span<const TokenId> tokens, KvPage page) {
    for (const auto& child : parent.children) {
        const std::size_t n = common(child->tokens, tokens);
        const bool is_whole = n == tokens.size();
        if (!is_whole && n != child->tokens.size()) continue;
        child->last_use = now_;
        if (is_whole) return n == child->tokens.size() ? child.get() : nullptr;
        child->tokens.assign(tokens.begin(), tokens.end());
        pool_.add_user(page);
        pool_.drop_user(std::exchange(child->page, page));
        return child.get();
    }
    auto child = std::make_unique<Node>();
    child->tokens.assign(tokens.begin(), tokens.end());
    child->page = page;
    child->last_use = now_;
    parent.children.push_back(std::move(child));
    pool_.add_user(page);
    ++n_pages_;
    return parent.children.back().get();
}

bool PrefixTree::evict() {
    Leaf best;
    std::vector<Node*> open = {root_.get()};
    while (!open.empty()) {
        Node* node = open.back();
        open.pop_back();
        visit_leaves(*node, best);
        for (const auto& child : node->children) open.push_back(child.get());
    }
    if (best.parent == nullptr) return false;
    auto& children = best.parent->children;
    pool_.drop_user(children[best.child]->page);
    children.erase(children.begin() + static_cast<std::ptrdiff_t>(best.child));
    --n_pages_;
    return true;
}

void PrefixTree::visit_leaves(Node& node, Leaf& best) const {
    for (std::size_t i = 0; i < node.children.size(); ++i) {
        const Node& child = *node.children[i];
        if (!child.children.empty() || pool_.n_users(child.page) > 1) continue;
        const std::pair worth(child.used_again, child.last_use);
        if (best.parent == nullptr || worth < best.worth) best = {&node, i, worth};
    }
}

std::int32_t PrefixTree::n_evictable() const {
    struct Visit {
        const Node* node;
        std::size_t parent;
        bool stays = false;  // a page in use keeps those before it
    };
    std::vector<Visit> visits = {{root_.get(), 0, true}};
    for (std::size_t i = 0; i < visits.size(); ++i)
        for (const auto& child : visits[i].node->children)
            visits.push_back({child.get(), i, pool_.n_users(child->page) > 1});
    std::int32_t n = 0;
    for (std::size_t i = visits.size(); i-- > 1;) {
        if (visits[i].stays) visits[visits[i].parent].stays = true;
        n += !visits[i].stays;
    }
    return n;
}

}  // namespace notso::ml

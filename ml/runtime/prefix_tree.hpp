// PrefixTree: which texts have their keys and values in pages already. Each node is a page and the
// tokens in it; its children go on from there. Texts that begin alike share nodes. What nobody uses
// is kept until its memory is needed. Knows nothing of requests; used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ml/runtime/kv_pool.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

class PrefixTree {
  public:
    /// The pool outlives it.
    explicit PrefixTree(KvPool& pool);
    ~PrefixTree();
    PrefixTree(const PrefixTree&) = delete;
    PrefixTree& operator=(const PrefixTree&) = delete;

    /// The longest beginning of a text that is held.
    struct Match {
        std::vector<KvPage> pages;  ///< pages_for(n_tokens); without a user of the caller's.
        std::int32_t n_tokens = 0;
    };
    /// @cost O(tokens + children of the nodes on the way)
    Match find(std::span<const TokenId> tokens);

    /// Holds a text whose keys and values are in `pages`. Pages of the tree stay where they are:
    /// what is held already is not replaced, so the text's own pages may stay outside.
    /// @param pages  At least pages_for(tokens.size()); the last one may be begun only, and its
    /// owner may go on writing behind these tokens.
    void insert(std::span<const TokenId> tokens, std::span<const KvPage> pages);

    /// Gives back one page that only the tree uses: the end of the text that was used longest ago,
    /// texts that were never used again first. False when there is none.
    /// @cost O(nodes)
    bool evict();
    /// Pages that evict() could give back, one after another.
    /// @cost O(nodes)
    std::int32_t n_evictable() const;

    std::int32_t n_pages() const noexcept { return n_pages_; }

  private:
    struct Node;
    struct Leaf;
    Node* extend(Node& parent, std::span<const TokenId> tokens, KvPage page);
    void visit_leaves(Node& node, Leaf& best) const;

    KvPool& pool_;
    std::unique_ptr<Node> root_;  // without a page
    std::uint64_t now_ = 0;       // counts uses
    std::int32_t n_pages_ = 0;
};

}  // namespace notso::ml

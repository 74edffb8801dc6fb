#include "services/archive/foreign_tree.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/random.hpp"

namespace notso::services {
namespace {

using Children = std::map<std::string, std::vector<std::string>>;

/// An answer as far as it goes at some node.
struct Run {
    std::optional<MessageId> question;
    std::string text;
    std::string thinking;
};

/// What stands above a node.
struct Above {
    std::optional<MessageId> last;
    std::optional<Run> run;
};

void join(std::string& text, const std::string& more) {
    if (more.empty()) return;
    if (!text.empty()) text += "\n\n";
    text += more;
}

class Walk {
  public:
    Walk(const std::map<std::string, ForeignNode>& nodes,
         const Children& children,
         WholeConversation& out)
        : nodes_(nodes), children_(children), out_(out) {}

    /// Without recursion: a conversation may be as deep as it is long. @return Nodes that it met.
    std::size_t run(const std::string& current) {
        std::size_t n_visited = 0;
        push_children("", {});
        while (!waiting_.empty()) {
            auto [id, above] = std::move(waiting_.back());
            waiting_.pop_back();
            ++n_visited;
            const bool is_current = id == current;
            const Above here =
                nodes_.at(id).question ? ask(id, above) : answer(id, std::move(above), is_current);
            if (is_current && here.last) out_.conversation.leaf = *here.last;
            push_children(id, here);
        }
        return n_visited;
    }

  private:
    void push_children(const std::string& id, const Above& here) {
        const auto found = children_.find(id);
        if (found == children_.end()) return;
        for (auto child = found->second.rbegin(); child != found->second.rend(); ++child)
            waiting_.emplace_back(*child, here);
    }

    bool ends_answer(const std::string& id) const {
        const auto found = children_.find(id);
        return found == children_.end() ||
               std::ranges::any_of(found->second, [this](const std::string& child) {
                   return nodes_.at(child).question;
               });
    }

    Above ask(const std::string& id, const Above& above) {
        const ForeignNode& node = nodes_.at(id);
        return {put({.id = {},
                     .conversation = {},
                     .parent = above.last,
                     .text = node.text,
                     .created_at = node.created_at}),
                std::nullopt};
    }

    /// One message for the whole run, once it ends or a question follows.
    Above answer(const std::string& id, Above above, bool is_current) {
        const ForeignNode& node = nodes_.at(id);
        Run run = above.run ? *std::move(above.run) : Run{above.last, {}, {}};
        join(run.text, node.text);
        join(run.thinking, node.thinking);
        std::optional<MessageId> last = run.question;
        const bool empty = run.text.empty() && run.thinking.empty();
        if (!empty && (is_current || ends_answer(id))) {
            last = put({.id = {},
                        .conversation = {},
                        .parent = run.question,
                        .role = MessageRole::kAssistant,
                        .text = run.text,
                        .thinking = run.thinking,
                        .created_at = node.created_at});
        }
        return {std::move(last), std::move(run)};
    }

    MessageId put(Message message) {
        message.id = {random_id()};
        message.conversation = out_.conversation.id;
        out_.messages.push_back(message);
        return message.id;
    }

    const std::map<std::string, ForeignNode>& nodes_;
    const Children& children_;
    WholeConversation& out_;
    std::vector<std::pair<std::string, Above>> waiting_;
};

}  // namespace

Result<> ForeignTree::add(const std::string& id, ForeignNode node) {
    if (id.empty() || !nodes_.emplace(id, std::move(node)).second)
        return fail(ErrorCode::kInvalidArgument, "a message has an empty id, or that of another");
    order_.push_back(id);
    return {};
}

Result<WholeConversation> ForeignTree::build(Conversation conversation,
                                             const std::string& current) const {
    Children children;
    for (const std::string& id : order_) {
        const std::string& parent = nodes_.at(id).parent;
        if (!parent.empty() && !nodes_.contains(parent))
            return fail(ErrorCode::kInvalidArgument, "a message follows one that is not there");
        children[parent].push_back(id);
    }
    WholeConversation whole{.conversation = std::move(conversation), .messages = {}};
    if (Walk(nodes_, children, whole).run(current) != nodes_.size())
        return fail(ErrorCode::kInvalidArgument, "messages follow each other in a circle");
    return whole;
}

}  // namespace notso::services

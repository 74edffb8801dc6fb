// ForeignTree: messages of other programs with any roles in any order become questions and answers:
// what follows a question without being one is one answer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

struct ForeignNode {
    std::string parent;  ///< Empty: the first one.
    bool question = false;
    std::string text;  ///< Empty: nothing is shown of it.
    std::string thinking = {};
    UnixMs created_at = 0;
};

class ForeignTree {
  public:
    /// @errors kInvalidArgument: the id is there already.
    Result<> add(const std::string& id, ForeignNode node);
    /// Every message, parents first, and in the conversation's leaf the message that `current`
    /// became. @errors kInvalidArgument: nodes in a circle, or below one that is not there.
    Result<WholeConversation> build(Conversation conversation, const std::string& current) const;

  private:
    std::map<std::string, ForeignNode> nodes_;
    std::vector<std::string> order_;
};

}  // namespace notso::services

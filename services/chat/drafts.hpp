// Drafts: what people are typing, read ahead by a local model that has nothing else to do, so that
// the message a draft becomes finds most of itself read. At lowest priority; nothing is kept but
// what the engine's cache keeps. Lives on the io thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/executor.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/chat/context_window.hpp"
#include "services/chat/side_request.hpp"

namespace notso::services {

class Drafts {
  public:
    explicit Drafts(const SideDeps& deps) : deps_(deps) {}

    /// Whether the model of that conversation is here, loaded, and idle but for drafts.
    bool may_read(const Conversation& conversation) const;
    /// Reads ahead instead of the conversation's last draft.
    /// @param source  Ends with the draft.
    void read(PromptSource source);
    void drop(const ConversationKey& key) { reading_.erase(key); }
    void drop_all() { reading_.clear(); }

  private:
    SideDeps deps_;
    std::map<ConversationKey, std::shared_ptr<SideRequest>> reading_;
};

}  // namespace notso::services

// StoredShelf: the files of a conversation's messages, for tools: their threads wait for the
// database's.
#pragma once

#include "services/chat/store_client.hpp"
#include "services/session/session_store.hpp"
#include "services/tools/attachments.hpp"

namespace notso::services {

class StoredShelf final : public AttachmentShelf {
  public:
    StoredShelf(StoreClient store, ConversationKey conversation)
        : store_(store), conversation_(std::move(conversation)) {}

    /// The newest first. @errors those of the store; kUnavailable when the database does not answer
    /// in time.
    Result<std::vector<Attachment>> list() override;
    Result<std::string> text(const Attachment& file, const ReadPatience& patience) override;

  private:
    StoreClient store_;
    ConversationKey conversation_;
};

}  // namespace notso::services

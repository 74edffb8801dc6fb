// StoredNotes: a conversation's notes in the store, for tools: their threads wait for the
// database's.
#pragma once

#include "services/chat/store_client.hpp"
#include "services/session/session_store.hpp"
#include "services/tools/note_book.hpp"

namespace notso::services {

class StoredNotes final : public NoteBook {
  public:
    StoredNotes(StoreClient store, ConversationKey conversation)
        : store_(store), conversation_(std::move(conversation)) {}

    /// @errors those of the store; kUnavailable when the database does not answer in time.
    Result<std::vector<Note>> list() override;
    Result<Note> add(std::string text) override;
    Result<> remove(std::int64_t number) override;

  private:
    StoreClient store_;
    ConversationKey conversation_;
};

}  // namespace notso::services

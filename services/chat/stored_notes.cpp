#include "services/chat/stored_notes.hpp"

#include <utility>

#include "services/chat/store_question.hpp"

namespace notso::services {

Result<std::vector<Note>> StoredNotes::list() {
    NOTSO_TRY(const auto stored,
              ask_store<std::vector<StoredNote>>(
                  store_, [key = conversation_](SessionStore& store) { return store.notes(key); }));
    std::vector<Note> notes;
    for (const StoredNote& note : stored) notes.push_back({note.number, note.text});
    return notes;
}

Result<Note> StoredNotes::add(std::string text) {
    NOTSO_TRY(StoredNote note,
              ask_store<StoredNote>(
                  store_, [key = conversation_, text = std::move(text)](SessionStore& store) {
                      return store.add_note(key, text);
                  }));
    return Note{note.number, std::move(note.text)};
}

Result<> StoredNotes::remove(std::int64_t number) {
    return ask_store<void>(store_, [key = conversation_, number](SessionStore& store) {
        return store.remove_note(key, number);
    });
}

}  // namespace notso::services

#include "services/chat/stored_notes.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <utility>

namespace notso::services {
namespace {

constexpr std::chrono::seconds kPatience{5};

/// What the database thread leaves for the one that waits.
template <class T>
struct Letter {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<Result<T>> result;
};

template <class T, class Work>
Result<T> ask(const StoreClient& client, Work work) {
    const auto letter = std::make_shared<Letter<T>>();
    client.post([letter, work = std::move(work)](SessionStore& store) mutable {
        Result<T> result = work(store);
        const std::lock_guard lock(letter->mutex);
        letter->result.emplace(std::move(result));
        letter->came.notify_one();
    });
    std::unique_lock lock(letter->mutex);
    if (!letter->came.wait_for(lock, kPatience, [&] { return letter->result.has_value(); }))
        return fail(ErrorCode::kUnavailable, "the notes can't be reached now, try again later");
    return *std::move(letter->result);
}

}  // namespace

Result<std::vector<Note>> StoredNotes::list() {
    NOTSO_TRY(const auto stored,
              ask<std::vector<StoredNote>>(
                  store_, [key = conversation_](SessionStore& store) { return store.notes(key); }));
    std::vector<Note> notes;
    for (const StoredNote& note : stored) notes.push_back({note.number, note.text});
    return notes;
}

Result<Note> StoredNotes::add(std::string text) {
    NOTSO_TRY(
        StoredNote note,
        ask<StoredNote>(store_, [key = conversation_, text = std::move(text)](SessionStore& store) {
            return store.add_note(key, text);
        }));
    return Note{note.number, std::move(note.text)};
}

Result<> StoredNotes::remove(std::int64_t number) {
    return ask<void>(store_, [key = conversation_, number](SessionStore& store) {
        return store.remove_note(key, number);
    });
}

}  // namespace notso::services

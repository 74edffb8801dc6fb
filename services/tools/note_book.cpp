#include "services/tools/note_book.hpp"

#include <algorithm>

namespace notso::services {

Result<std::vector<Note>> MemoryNoteBook::list() {
    const std::lock_guard lock(mutex_);
    return notes_;
}

Result<Note> MemoryNoteBook::add(std::string text) {
    const std::lock_guard lock(mutex_);
    return notes_.emplace_back(++last_number_, std::move(text));
}

Result<> MemoryNoteBook::remove(std::int64_t number) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(notes_, number, &Note::number);
    if (found == notes_.end()) return fail(ErrorCode::kNotFound, "no note has number {}", number);
    notes_.erase(found);
    return {};
}

}  // namespace notso::services

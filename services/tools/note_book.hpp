// NoteBook: the notes of one conversation, as tools see them. Who keeps them decides how long.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace notso::services {

struct Note {
    std::int64_t number = 0;  ///< From 1, never used again within a conversation.
    std::string text;

    bool operator==(const Note&) const = default;
};

/// Thread-safe; calls may wait for the database.
class NoteBook {
  public:
    NoteBook() = default;
    NoteBook(const NoteBook&) = delete;
    NoteBook& operator=(const NoteBook&) = delete;
    virtual ~NoteBook() = default;

    /// In the order in which they were added.
    virtual Result<std::vector<Note>> list() = 0;
    virtual Result<Note> add(std::string text) = 0;
    /// @errors kNotFound: no note has this number.
    virtual Result<> remove(std::int64_t number) = 0;
};

/// Notes that live as long as the object: for the terminal and for tests.
class MemoryNoteBook final : public NoteBook {
  public:
    Result<std::vector<Note>> list() override;
    Result<Note> add(std::string text) override;
    Result<> remove(std::int64_t number) override;

  private:
    std::mutex mutex_;
    std::vector<Note> notes_;
    std::int64_t last_number_ = 0;
};

}  // namespace notso::services

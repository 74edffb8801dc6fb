// AttachmentShelf: the files that people attached to a conversation, as tools see them: a name, a
// type and a file on disk. Their names and their content are hostile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace notso::services {

struct Attachment {
    std::string name;            ///< As the person's file was called; no path.
    std::string media_type;      ///< As it was sent, e.g. "application/pdf"; may be wrong or empty.
    std::filesystem::path path;  ///< Where its bytes are; empty: the shelf knows.
    std::uint64_t bytes = 0;
};

/// How long somebody waits for a text.
struct ReadPatience {
    SteadyClock::time_point deadline = SteadyClock::time_point::max();
    std::stop_token stop = {};
};

/// Thread-safe; calls may wait for the database.
class AttachmentShelf {
  public:
    AttachmentShelf() = default;
    AttachmentShelf(const AttachmentShelf&) = delete;
    AttachmentShelf& operator=(const AttachmentShelf&) = delete;
    virtual ~AttachmentShelf() = default;

    /// Of several with one name the first counts.
    virtual Result<std::vector<Attachment>> list() = 0;
    /// All that is to be read in one of them, UTF-8; a form feed ends each page of a PDF.
    virtual Result<std::string> text(const Attachment& file, const ReadPatience& patience) = 0;
};

/// A fixed list: for the terminal and for tests.
class FixedShelf final : public AttachmentShelf {
  public:
    explicit FixedShelf(std::vector<Attachment> files) : files_(std::move(files)) {}
    Result<std::vector<Attachment>> list() override { return files_; }
    /// @errors as text_of_file().
    Result<std::string> text(const Attachment& file, const ReadPatience& patience) override;

  private:
    std::vector<Attachment> files_;
};

}  // namespace notso::services

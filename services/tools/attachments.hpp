// AttachmentShelf: the files that people attached to a conversation, as tools see them: a name, a
// type and a file on disk. Their names and their content are hostile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace notso::services {

struct Attachment {
    std::string name;            ///< As the person's file was called; no path.
    std::string media_type;      ///< As it was sent, e.g. "application/pdf"; may be wrong or empty.
    std::filesystem::path path;  ///< Where its bytes are.
    std::uint64_t bytes = 0;
};

/// Thread-safe; calls may wait for the database.
class AttachmentShelf {
  public:
    AttachmentShelf() = default;
    AttachmentShelf(const AttachmentShelf&) = delete;
    AttachmentShelf& operator=(const AttachmentShelf&) = delete;
    virtual ~AttachmentShelf() = default;

    /// In the order in which they were attached.
    virtual Result<std::vector<Attachment>> list() = 0;
};

/// A fixed list: for the terminal and for tests.
class FixedShelf final : public AttachmentShelf {
  public:
    explicit FixedShelf(std::vector<Attachment> files) : files_(std::move(files)) {}
    Result<std::vector<Attachment>> list() override { return files_; }

  private:
    std::vector<Attachment> files_;
};

}  // namespace notso::services

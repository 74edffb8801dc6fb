// RowFile: float32 rows written to a file as they come, so that memory stays small for any number
// of them.
#pragma once

#include <span>
#include <string>

#include "base/result.hpp"

namespace notso::app {

class RowFile {
  public:
    /// Makes or empties the file that the option --out names. @errors kIo with the path.
    static Result<RowFile> create(const std::string& path);

    RowFile(RowFile&& other) noexcept;
    RowFile& operator=(RowFile&&) = delete;
    ~RowFile();

    /// Appends `values`, little-endian. @errors kIo with the path.
    Result<> write(std::span<const float> values);

  private:
    RowFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

    int fd_;
    std::string path_;
};

}  // namespace notso::app

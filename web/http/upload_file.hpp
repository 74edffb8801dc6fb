// UploadFile: a request's body on its way to the disk. The file goes with this object.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>

#include "base/result.hpp"

namespace notso::web {

class UploadFile {
  public:
    /// A new file that only its owner can read. @errors kIo, kAlreadyExists.
    static Result<std::unique_ptr<UploadFile>> create(const std::filesystem::path& path);
    UploadFile(const UploadFile&) = delete;
    UploadFile& operator=(const UploadFile&) = delete;
    ~UploadFile();

    /// On the disk's way when it returns: readers of the file see it. @errors kIo: the disk is
    /// full.
    Result<> write(std::string_view bytes);

  private:
    UploadFile(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}

    std::filesystem::path path_;
    int fd_;
};

}  // namespace notso::web

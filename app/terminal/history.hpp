// History: what was typed at the prompt of `notso chat`, kept between runs in a file of the data
// folder that only its owner can read. One entry a line; several programs may add to it at once.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace notso::app {

class History {
  public:
    static constexpr std::size_t kMaxEntries = 500;          ///< That are read, the newest.
    static constexpr std::size_t kMaxEntryBytes = 8 << 10;   ///< Longer ones are not kept.
    static constexpr std::size_t kMaxFileBytes = 512 << 10;  ///< The file is cut back beyond it.

    explicit History(std::filesystem::path path) : path_(std::move(path)) {}

    /// The entries, oldest first. A file that is not there has none; what is broken in it is left
    /// out. Cuts back a file that has grown too long.
    /// @errors kIo, kPermissionDenied with the path: the file is left alone from then on.
    Result<std::vector<std::string>> load();
    /// Adds one; the folder and the file are made when they are not there. What stands at the end
    /// already is not added again. @errors as load(), the first time only.
    Result<> add(const std::string& entry);

  private:
    Result<> append(const std::string& line);
    Result<> rewrite(const std::vector<std::string>& entries);

    std::filesystem::path path_;
    std::string last_;
    bool broken_ = false;
};

}  // namespace notso::app

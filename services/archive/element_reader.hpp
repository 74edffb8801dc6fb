// ElementReader: the objects of one large JSON file, one after the other, without reading the whole
// file into memory. The file is an array of objects, or one object.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace notso::services {

/// Bytes of a file.
struct FilePart {
    std::uint64_t begin = 0;
    std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
};

class ElementReader {
  public:
    static constexpr std::size_t kMaxElementBytes = std::size_t{64} << 20;
    static constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

    /// @errors kNotFound, kTooLarge, kInvalidArgument: it does not begin as such a file does.
    static Result<ElementReader> open(const std::filesystem::path& path, FilePart part = {});

    /// The next object; empty when there is none left.
    /// @errors kInvalidArgument with number and offset: no JSON, or no object; kTooLarge. After an
    /// error there is nothing more.
    Result<std::optional<boost::json::object>> next();

    /// Number of the object that next() gave last, from 1, and where it begins.
    std::int64_t number() const { return number_; }
    std::uint64_t offset() const { return begin_; }

  private:
    ElementReader(std::ifstream file, std::string name, std::uint64_t size)
        : file_(std::move(file)), name_(std::move(name)), size_(size) {}

    int get();
    int skip_blanks();
    Result<> read_beginning();
    Result<bool> skip_comma();
    Result<std::string> read_object(int first);
    std::unexpected<Error> wrong(const char* what) const;

    std::ifstream file_;
    std::string name_;
    bool array_ = false;
    bool ended_ = false;
    std::int64_t number_ = 0;
    std::uint64_t size_;    // of the part
    std::uint64_t at_ = 0;  // bytes read of it
    std::uint64_t begin_ = 0;
};

}  // namespace notso::services

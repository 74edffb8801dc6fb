// KeyReader: the keys of one architecture in a GGUF file, each with its bounds. Messages name the
// key in full, its value and what it may be.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"

namespace notso::ml {

class KeyReader {
  public:
    /// @param architecture  Prefix of the keys. It and the file must outlive the reader.
    KeyReader(const gguf::File& file, std::string_view architecture)
        : file_(file), prefix_(architecture) {}

    const gguf::File& file() const noexcept { return file_; }
    std::string name(std::string_view key) const { return fmt::format("{}.{}", prefix_, key); }
    /// For messages: "key NAME at byte N".
    std::string label(std::string_view key) const { return gguf::key_label(file_, name(key)); }
    bool has(std::string_view key) const { return file_.find(name(key)) != nullptr; }

    /// A whole number in [low, high]; `fallback` when the key is absent, or an error where there is
    /// none.
    Result<std::int32_t> integer(std::string_view key,
                                 std::int32_t low,
                                 std::int32_t high,
                                 std::optional<std::int32_t> fallback = std::nullopt) const;

    /// A finite number in [low, high].
    Result<double> number(std::string_view key,
                          double low,
                          double high,
                          std::optional<double> fallback = std::nullopt) const;

    /// Fails with kUnsupported when a key is there with another value than the one that changes
    /// nothing. Whole numbers and truth values count as numbers here.
    Result<> neutral(std::string_view key, double harmless) const;

  private:
    std::unexpected<Error> missing(std::string_view key) const;
    std::unexpected<Error> refuse(std::string_view key,
                                  std::string_view value,
                                  std::string_view harmless) const;

    const gguf::File& file_;
    std::string_view prefix_;
};

}  // namespace notso::ml

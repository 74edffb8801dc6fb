// SHA-256 of files and of what arrives piece by piece.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

/// 64 hex digits in any case → lowercase. @errors kInvalidArgument.
Result<std::string> parse_sha256(std::string_view text);

class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void update(std::span<const std::byte> bytes);
    /// 64 lowercase hex digits. Once only.
    std::string hex();

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

/// Hashes a whole file. @param on_bytes  called with the bytes read so far; may be empty.
/// @errors kNotFound, kIo naming the file; kCancelled.
Result<std::string> sha256_of_file(const std::filesystem::path& path,
                                   const std::stop_token& stop = {},
                                   const std::function<void(std::uint64_t)>& on_bytes = {});

}  // namespace notso::services

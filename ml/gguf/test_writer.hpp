// Writes GGUF files for tests: well-formed ones in a few lines, and broken ones by overriding
// single fields. Test code only; header-only so that any test program of a layer above the base may
// use it.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ml/gguf/file.hpp"

namespace notso::ml::gguf::test {

/// Little-endian bytes, appended.
class Bytes {
  public:
    template <class T>
        requires std::is_arithmetic_v<T>
    Bytes& put(T value) {
        char raw[sizeof(T)];
        std::memcpy(raw, &value, sizeof(T));
        data_.append(raw, sizeof(T));
        return *this;
    }
    Bytes& put(std::string_view text) {
        put(static_cast<std::uint64_t>(text.size()));
        return raw(text);
    }
    Bytes& raw(std::string_view bytes) {
        data_.append(bytes);
        return *this;
    }
    const std::string& str() const { return data_; }

  private:
    std::string data_;
};

/// GGUF value type number of a C++ type.
template <class T>
constexpr std::uint32_t value_type() {
    if constexpr (std::is_same_v<T, bool>) return 7;
    if constexpr (std::is_same_v<T, float>) return 6;
    if constexpr (std::is_same_v<T, double>) return 12;
    if constexpr (std::is_convertible_v<T, std::string_view>) return 8;
    const std::uint32_t base = sizeof(T) == 8 ? 10 : sizeof(T) == 4 ? 4 : sizeof(T) == 2 ? 2 : 0;
    return base + (std::is_signed_v<T> ? 1 : 0);
}

/// Collects keys and tensors, then gives the bytes of a file.
class Writer {
  public:
    // What a hostile file lies about; unset means the truth.
    std::optional<std::uint64_t> tensor_count;
    std::optional<std::uint64_t> key_count;
    std::uint32_t version = 3;
    std::string magic = "GGUF";
    std::uint64_t alignment = 32;

    /// A key with a scalar or a string: `key("llama.block_count", std::uint32_t{30})`.
    template <class T>
    Writer& key(std::string_view name, const T& value) {
        Bytes body;
        if constexpr (std::is_convertible_v<T, std::string_view>) {
            body.put(std::string_view(value));
        } else {
            body.put(value);
        }
        return raw_key(name, value_type<T>(), body.str());
    }

    /// A key with an array: `array<std::int32_t>("…", {1, 2})`, `array<std::string>("…", tokens)`.
    template <class T>
    Writer& array(std::string_view name, const std::vector<T>& values) {
        Bytes body;
        body.put(value_type<T>()).put(static_cast<std::uint64_t>(values.size()));
        for (const auto& value : values) {
            if constexpr (std::is_convertible_v<T, std::string_view>) {
                body.put(std::string_view(value));
            } else {
                body.put(static_cast<T>(value));
            }
        }
        return raw_key(name, 9, body.str());
    }

    /// A key whose value bytes are given as they are.
    Writer& raw_key(std::string_view name, std::uint32_t type, std::string_view body) {
        keys_.push_back(Bytes().put(name).put(type).raw(body).str());
        return *this;
    }

    /// A tensor; its offset is the next aligned one. The data length is what the caller gives.
    Writer& tensor(std::string_view name,
                   const std::vector<std::uint64_t>& shape,
                   TensorType type,
                   std::string_view data) {
        const std::uint64_t offset = data_.size();
        data_.append(data);
        data_.resize((data_.size() + alignment - 1) / alignment * alignment);
        return raw_tensor(name, shape, std::to_underlying(type), offset);
    }
    Writer& tensor_f32(std::string_view name,
                       const std::vector<std::uint64_t>& shape,
                       std::span<const float> values) {
        return tensor(name,
                      shape,
                      TensorType::kF32,
                      {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
    }

    /// A tensor entry with any offset and type number and no data.
    Writer& raw_tensor(std::string_view name,
                       const std::vector<std::uint64_t>& shape,
                       std::uint32_t type,
                       std::uint64_t offset) {
        Bytes info;
        info.put(name).put(static_cast<std::uint32_t>(shape.size()));
        for (const std::uint64_t dim : shape) info.put(dim);
        infos_.push_back(info.put(type).put(offset).str());
        return *this;
    }

    /// Everything before the padding and the tensor data.
    std::string header() const {
        Bytes out;
        out.raw(magic).put(version);
        out.put(tensor_count.value_or(infos_.size())).put(key_count.value_or(keys_.size()));
        for (const std::string& item : keys_) out.raw(item);
        for (const std::string& item : infos_) out.raw(item);
        return out.str();
    }

    std::string bytes() const {
        std::string out = header();
        out.resize((out.size() + alignment - 1) / alignment * alignment);
        return out + data_;
    }

  private:
    std::vector<std::string> keys_;
    std::vector<std::string> infos_;
    std::string data_;
};

/// A file with given bytes that disappears with the object.
class TempFile {
  public:
    explicit TempFile(std::string_view bytes, std::string_view suffix = ".gguf") {
        static std::atomic<int> counter{0};
        path_ = std::filesystem::temp_directory_path() /
                ("notso_test_" + std::to_string(::getpid()) + "_" + std::to_string(counter++) +
                 std::string(suffix));
        rewrite(bytes);
    }
    TempFile(const TempFile&) = delete;
    TempFile& operator=(const TempFile&) = delete;
    ~TempFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    void rewrite(std::string_view bytes) const {
        std::ofstream(path_, std::ios::binary | std::ios::trunc)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace notso::ml::gguf::test

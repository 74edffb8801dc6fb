// gguf::File over a mapping. The header is copied into memory of our own before it is parsed, so
// that no change of the file on disk can make checked numbers wrong or a key fault; tensor data
// stays in the mapping.
#include "ml/gguf/file.hpp"

#include <algorithm>
#include <limits>

#include "base/log.hpp"
#include "ml/gguf/header.hpp"
#include "ml/gguf/mapping.hpp"
#include "ml/gguf/value.hpp"

namespace notso::ml::gguf {
namespace {

constexpr std::uint64_t kFirstRead = 1 << 20;
// Metadata of the largest vocabularies takes about 10 MiB.
constexpr std::uint64_t kMaxHeader = 32 << 20;

struct LoadedHeader {
    std::vector<std::byte> bytes;
    Header header;
};

/// Reads as much of the start of the file as the header needs, in steps, and parses it.
Result<LoadedHeader> load_header(const Mapping& mapping) {
    LoadedHeader loaded;
    std::uint64_t size = std::min(mapping.size(), kFirstRead);
    while (true) {
        const std::uint64_t have = loaded.bytes.size();
        loaded.bytes.resize(size);
        NOTSO_CHECK(mapping.read(have, std::span(loaded.bytes).subspan(have)));
        auto outcome = parse_header(loaded.bytes, mapping.size());
        if (outcome.header) {
            loaded.header = *std::move(outcome.header);
            return loaded;
        }
        if (outcome.wanted == 0) return std::unexpected(std::move(outcome.header).error());
        if (outcome.wanted > kMaxHeader) {
            return fail(ErrorCode::kCorruptData,
                        "the header is longer than {} bytes, the most that is allowed",
                        kMaxHeader);
        }
        size = std::min({mapping.size(), kMaxHeader, std::max(outcome.wanted, 4 * size)});
    }
}

/// Indices of `items` sorted by name.
template <class Items, class Name>
std::vector<std::uint32_t> sorted_index(const Items& items, Name name) {
    std::vector<std::uint32_t> index(items.size());
    for (std::uint32_t i = 0; i < index.size(); ++i) index[i] = i;
    std::ranges::sort(index, {}, [&](std::uint32_t i) { return name(items[i]); });
    return index;
}

template <class Items, class Name>
const typename Items::value_type* find_by_name(const Items& items,
                                               std::span<const std::uint32_t> index,
                                               std::string_view wanted,
                                               Name name) {
    const auto at = std::ranges::lower_bound(
        index, wanted, {}, [&](std::uint32_t i) { return name(items[i]); });
    if (at == index.end() || name(items[*at]) != wanted) return nullptr;
    return &items[*at];
}

std::string_view key_of(const KeyValue& item) { return item.key; }
std::string_view name_of(const Tensor& tensor) { return tensor.name; }

class MappedFile final : public File {
  public:
    MappedFile(std::filesystem::path path, std::unique_ptr<Mapping> mapping, LoadedHeader loaded)
        : path_(std::move(path)),
          mapping_(std::move(mapping)),
          header_bytes_(std::move(loaded.bytes)),
          version_(loaded.header.version),
          metadata_(std::move(loaded.header.metadata)) {
        for (TensorInfo& info : loaded.header.tensors) {
            tensors_.push_back({.name = std::move(info.name),
                                .type = info.type,
                                .shape = std::move(info.shape),
                                .file_offset = info.offset,
                                .data = mapping_->bytes().subspan(info.offset, info.bytes)});
        }
        key_index_ = sorted_index(metadata_, key_of);
        tensor_index_ = sorted_index(tensors_, name_of);
    }

    const std::filesystem::path& path() const override { return path_; }
    std::uint64_t size_bytes() const override { return mapping_->size(); }
    std::uint32_t version() const override { return version_; }
    std::span<const KeyValue> metadata() const override { return metadata_; }
    std::span<const Tensor> tensors() const override { return tensors_; }
    const KeyValue* find(std::string_view key) const override {
        return find_by_name(metadata_, key_index_, key, key_of);
    }
    const Tensor* find_tensor(std::string_view name) const override {
        return find_by_name(tensors_, tensor_index_, name, name_of);
    }
    Result<> check_whole() const override { return with_path(mapping_->check_whole()); }
    Result<> read(std::uint64_t offset, std::span<std::byte> out) const override {
        return with_path(mapping_->read(offset, out));
    }

    Result<std::optional<std::uint64_t>> get_uint(std::string_view key) const override {
        return get(key, as_uint);
    }
    Result<std::optional<double>> get_float(std::string_view key) const override {
        return get(key, as_float);
    }
    Result<std::optional<bool>> get_bool(std::string_view key) const override {
        return get(key, as_bool);
    }
    Result<std::optional<std::string_view>> get_string(std::string_view key) const override {
        return get(key, as_string);
    }
    Result<std::optional<std::vector<std::string_view>>> get_strings(
        std::string_view key) const override {
        return get(key, as_strings);
    }
    Result<std::optional<std::vector<std::int64_t>>> get_ints(std::string_view key) const override {
        return get(key, as_ints);
    }

  private:
    template <class T>
    Result<T> with_path(Result<T> result) const {
        if (result) return result;
        return fail(result.error().code, "{}: {}", path_.string(), result.error().detail);
    }

    template <class T>
    Result<std::optional<T>> get(std::string_view key,
                                 Result<T> (*convert)(const KeyValue&)) const {
        const KeyValue* item = find(key);
        if (item == nullptr) return std::optional<T>();
        NOTSO_TRY(auto value, with_path(convert(*item)));
        return std::optional<T>(std::move(value));
    }

    std::filesystem::path path_;
    std::unique_ptr<Mapping> mapping_;
    std::vector<std::byte> header_bytes_;  // what the views in metadata_ point into
    std::uint32_t version_;
    std::vector<KeyValue> metadata_;
    std::vector<Tensor> tensors_;
    std::vector<std::uint32_t> key_index_;
    std::vector<std::uint32_t> tensor_index_;
};

Result<std::shared_ptr<const File>> open_file(const std::filesystem::path& path) {
    NOTSO_TRY(auto mapping, Mapping::open(path));
    NOTSO_TRY(auto loaded, load_header(*mapping));
    // Built last: every number in the header was checked against the mapping's size.
    return std::make_shared<const MappedFile>(path, std::move(mapping), std::move(loaded));
}

}  // namespace

Result<std::shared_ptr<const File>> File::open(const std::filesystem::path& path) {
    auto file = open_file(path);
    if (file) return file;
    return fail(file.error().code, "{}: {}", path.string(), file.error().detail);
}

std::string key_label(const File& file, std::string_view key) {
    const KeyValue* item = file.find(key);
    return item == nullptr ? fmt::format("key {}", key)
                           : fmt::format("key {} at byte {}", key, item->file_offset);
}

}  // namespace notso::ml::gguf

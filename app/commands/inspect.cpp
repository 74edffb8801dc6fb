// notso inspect: what is in a GGUF file. --json is stable: {path, bytes, version, metadata,
// tensors, what_runs}.
#include <boost/json.hpp>
#include <iostream>

#include "app/answer.hpp"
#include "app/commands/command.hpp"
#include "app/commands/inspect_preview.hpp"
#include "app/commands/tensor_dump.hpp"
#include "app/model_choice.hpp"
#include "base/utf8.hpp"
#include "ml/gguf/file.hpp"
#include "ml/gguf/value.hpp"
#include "ml/model/preview.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;
namespace gguf = ml::gguf;

constexpr std::size_t kShownTextBytes = 80;
constexpr std::size_t kShown = 4;  // elements of an array

struct Options {
    std::string model;
    bool json = false;
    std::optional<std::string> tensor;
    std::optional<std::string> out;
};

json::value to_json(const gguf::Array& array) {
    return {{"array_of_type", array.element_type}, {"count", array.count}};
}

/// The first elements of an array of texts or whole numbers; nothing of other arrays.
json::array first_elements(const gguf::KeyValue& item) {
    json::array first;
    if (const auto texts = gguf::as_strings(item))
        for (const std::string_view text : std::span(*texts).first(std::min(texts->size(), kShown)))
            first.push_back(json::value(repair_utf8(text)));
    if (const auto numbers = gguf::as_ints(item); numbers && first.empty())
        for (const std::int64_t number :
             std::span(*numbers).first(std::min(numbers->size(), kShown)))
            first.push_back(number);
    return first;
}
json::value to_json(std::string_view text) { return json::value(repair_utf8(text)); }
template <class Number>
json::value to_json(Number number) {
    return json::value(number);
}

json::value to_json(const gguf::KeyValue& item) {
    json::value out = std::visit([](const auto& held) { return to_json(held); }, item.value);
    if (std::holds_alternative<gguf::Array>(item.value))
        out.get_object()["first"] = first_elements(item);
    return out;
}

std::string_view type_name(gguf::TensorType type) {
    const auto layout = gguf::block_layout(type);
    return layout ? layout->name : "unknown";
}

json::object report(const gguf::File& file, const ml::ModelPreview& preview) {
    json::object metadata;
    for (const gguf::KeyValue& item : file.metadata())
        metadata[repair_utf8(item.key)] = to_json(item);
    json::array tensors;
    for (const gguf::Tensor& tensor : file.tensors())
        tensors.push_back({{"name", repair_utf8(tensor.name)},
                           {"type", type_name(tensor.type)},
                           {"shape", json::value_from(tensor.shape)},
                           {"offset", tensor.file_offset},
                           {"bytes", tensor.data.size()}});
    json::object out;
    out["path"] = file.path().string();
    out["bytes"] = file.size_bytes();
    out["version"] = file.version();
    out["metadata"] = std::move(metadata);
    out["tensors"] = std::move(tensors);
    out["what_runs"] = preview_json(file, preview);
    return out;
}

/// A value on one line, long texts cut.
std::string shown(const json::value& value) {
    std::string text = json::serialize(value);
    if (text.size() <= kShownTextBytes) return text;
    return std::string(truncate_utf8(text, kShownTextBytes)) +
           fmt::format("… ({} bytes)", text.size());
}

void print(const gguf::File& file) {
    std::cout << fmt::format("{}\nGGUF version {}, {} bytes, {} keys, {} tensors\n\n",
                             file.path().string(),
                             file.version(),
                             file.size_bytes(),
                             file.metadata().size(),
                             file.tensors().size());
    for (const gguf::KeyValue& item : file.metadata())
        std::cout << fmt::format(
            "{:<44} {}\n", terminal_safe(item.key), terminal_safe(shown(to_json(item))));
    std::cout << '\n';
    for (const gguf::Tensor& tensor : file.tensors()) {
        std::cout << fmt::format("{:<44} {:<6} [{}] @ {}\n",
                                 terminal_safe(tensor.name),
                                 type_name(tensor.type),
                                 fmt::join(tensor.shape, ", "),
                                 tensor.file_offset);
    }
}

Result<int> run(Settings settings, const Options& options) {
    settings.model = options.model;
    NOTSO_TRY(const std::filesystem::path path, choose_model(settings));
    NOTSO_TRY(const auto file, gguf::File::open(path));
    if (options.tensor) {
        NOTSO_CHECK(dump_tensor(*file, *options.tensor, *options.out));
        return kExitOk;
    }
    NOTSO_TRY(const ml::ModelPreview preview, ml::preview_model(*file));
    if (options.json) {
        std::cout << json::serialize(report(*file, preview)) << '\n';
    } else {
        print(*file);
        print_preview(*file, preview);
    }
    return kExitOk;
}

}  // namespace

CommandBody declare_inspect(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.required_text("file", values->model, "GGUF file, or the name of an installed model");
    options.flag("--json", values->json, "print one JSON object");
    // For checking decoders, and in nobody else's way: documented, but in an empty group, which
    // --help skips.
    options.text("--tensor", values->tensor, "decode this tensor");
    options.text("--out", values->out, "file for its float32 values");
    options.hidden_pair("--tensor", "--out");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app

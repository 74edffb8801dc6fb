// notso inspect: what is in a GGUF file. --json is stable: {path, bytes, version, metadata,
// tensors}.
#include <boost/json.hpp>
#include <iostream>
#include <map>

#include "app/answer.hpp"
#include "app/commands/command.hpp"
#include "app/commands/tensor_dump.hpp"
#include "app/model_choice.hpp"
#include "base/utf8.hpp"
#include "ml/gguf/file.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;
namespace gguf = ml::gguf;

constexpr std::size_t kShownTextBytes = 80;

struct Options {
    std::string model;
    bool json = false;
    std::string tensor;
    std::string out;
};

json::value to_json(const gguf::Array& array) {
    return {{"array_of_type", array.element_type}, {"count", array.count}};
}
json::value to_json(std::string_view text) { return json::value(repair_utf8(text)); }
template <class Number>
json::value to_json(Number number) {
    return json::value(number);
}

json::value to_json(const gguf::Value& value) {
    return std::visit([](const auto& held) { return to_json(held); }, value);
}

std::string_view type_name(gguf::TensorType type) {
    const auto layout = gguf::block_layout(type);
    return layout ? layout->name : "unknown";
}

json::object report(const gguf::File& file) {
    json::object metadata;
    for (const gguf::KeyValue& item : file.metadata())
        metadata[repair_utf8(item.key)] = to_json(item.value);
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
            "{:<44} {}\n", terminal_safe(item.key), shown(to_json(item.value)));
    std::cout << '\n';
    std::map<std::string_view, std::pair<std::size_t, std::size_t>> types;  // count, bytes
    for (const gguf::Tensor& tensor : file.tensors()) {
        std::cout << fmt::format("{:<44} {:<6} [{}]\n",
                                 terminal_safe(tensor.name),
                                 type_name(tensor.type),
                                 fmt::join(tensor.shape, ", "));
        auto& [count, bytes] = types[type_name(tensor.type)];
        ++count;
        bytes += tensor.data.size();
    }
    std::cout << '\n';
    for (const auto& [name, sum] : types)
        std::cout << fmt::format("{:<6} {:>5} tensors {:>14} bytes\n", name, sum.first, sum.second);
}

Result<int> run(Settings settings, const Options& options) {
    settings.model = options.model;
    NOTSO_TRY(const std::filesystem::path path, choose_model(settings));
    NOTSO_TRY(const auto file, gguf::File::open(path));
    if (!options.tensor.empty()) {
        NOTSO_CHECK(dump_tensor(*file, options.tensor, options.out));
    } else if (options.json) {
        std::cout << json::serialize(report(*file)) << '\n';
    } else {
        print(*file);
    }
    return kExitOk;
}

}  // namespace

CommandBody declare_inspect(CLI::App& options) {
    auto values = std::make_shared<Options>();
    options.add_option("file", values->model, "GGUF file, or the name of an installed model")
        ->required()
        ->type_name("");
    options.add_flag("--json", values->json, "print one JSON object");
    // For checking decoders, and in nobody else's way: documented, but in an empty group, which
    // --help skips.
    auto* tensor = options.add_option("--tensor", values->tensor, "decode this tensor")->group("");
    auto* out = options.add_option("--out", values->out, "file for its float32 values")->group("");
    tensor->needs(out);
    out->needs(tensor);
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app

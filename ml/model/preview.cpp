#include "ml/model/preview.hpp"

#include <map>

#include "ml/device/device_manager.hpp"
#include "ml/quant/type_table.hpp"

namespace notso::ml {
namespace {

std::string kernel_of(gguf::TensorType type, const kernels::KernelTable& kernels) {
    if (quant::find_type(type) == nullptr) return {};
    const auto slot = static_cast<std::size_t>(type);
    const bool fast = slot < kernels::kTypeSlots && kernels.matmul_by_type[slot] != nullptr;
    return fast ? std::string(kernels.name) : fmt::format("{} (decoded first)", kernels.name);
}

std::vector<PreviewType> list_types(const gguf::File& file, const kernels::KernelTable& kernels) {
    std::map<std::string, PreviewType> by_name;
    for (const gguf::Tensor& tensor : file.tensors()) {
        const auto layout = gguf::block_layout(tensor.type);
        const std::string name(layout ? layout->name : "unknown");
        PreviewType& sum = by_name[name];
        sum.name = name;
        ++sum.n_tensors;
        sum.bytes += tensor.data.size();
        sum.kernel = kernel_of(tensor.type, kernels);
    }
    std::vector<PreviewType> types;
    for (auto& [name, type] : by_name) types.push_back(std::move(type));
    return types;
}

std::vector<std::int32_t> layers_without_rotation(const ModelSpec& spec) {
    std::vector<std::int32_t> layers;
    for (std::int32_t layer = 0; layer < spec.config.n_layers; ++layer)
        if (!spec.architecture->rotates(layer)) layers.push_back(layer);
    return layers;
}

/// The context that would be chosen now, or where nothing fits the one that was wished for.
void plan_memory(const gguf::File& file, const ModelSpec& spec, ModelPreview& preview) {
    const MemoryRequest request;
    auto wished = estimate_memory(file, spec, request);
    if (!wished) {
        preview.problems.push_back({"tensors", wished.error().detail});
        return;
    }
    auto fitting = fit_memory(*wished, spec.config, request, preview.available_bytes);
    preview.fits = fitting.has_value();
    preview.memory = fitting ? *fitting : *wished;
}

}  // namespace

Result<ModelPreview> preview_model(const gguf::File& file) {
    NOTSO_TRY(const DeviceManager device, DeviceManager::create());
    ModelPreview preview;
    preview.available_bytes = device.memory().available_bytes;
    preview.types = list_types(file, device.kernels());
    auto spec = read_spec(file);
    if (spec) {
        preview.nope_layers = layers_without_rotation(*spec);
        plan_memory(file, *spec, preview);
        preview.spec = *std::move(spec);
    } else {
        preview.problems.push_back({"shape", spec.error().detail});
    }
    auto tokenizer = Tokenizer::from_gguf(file);
    if (!tokenizer) {
        preview.problems.push_back({"tokenizer", tokenizer.error().detail});
        return preview;
    }
    preview.tokenizer = *std::move(tokenizer);
    if (preview.spec &&
        preview.tokenizer->vocab_size() > static_cast<std::size_t>(preview.spec->config.n_vocab))
        preview.problems.push_back(
            {"tokenizer",
             fmt::format("key tokenizer.ggml.tokens has {} tokens, but token_embd.weight only {} "
                         "rows",
                         preview.tokenizer->vocab_size(),
                         preview.spec->config.n_vocab)});
    return preview;
}

}  // namespace notso::ml

#include "ml/model/work.hpp"

namespace notso::ml {

Work work_of(const gguf::File& file, const ModelConfig& config) {
    const auto size = [](std::int32_t n) { return static_cast<std::uint64_t>(n); };
    const std::uint64_t q_width = size(config.n_heads) * size(config.head_dim);
    const std::uint64_t kv_width = size(config.n_kv_heads) * size(config.head_dim);
    const std::uint64_t per_column = 2 * q_width + 2 * kv_width + 3 * size(config.n_ff);
    Work work{.bytes_per_token = 0,
              .prompt_macs = size(config.n_layers) * size(config.n_embd) * per_column,
              .head_macs = size(config.n_vocab) * size(config.n_embd)};
    const bool own_head = file.find_tensor("output.weight") != nullptr;
    for (const gguf::Tensor& tensor : file.tensors()) {
        if (!own_head || tensor.name != "token_embd.weight")
            work.bytes_per_token += tensor.data.size();
    }
    return work;
}

}  // namespace notso::ml

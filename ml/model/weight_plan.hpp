// WeightPlan: which tensor of the file becomes which weight, and where in memory it will stand.
// Making the plan checks everything that can be wrong with a file's tensors; nothing is read yet.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/weights.hpp"

namespace notso::ml {

/// What happens to the rows of a matrix, or the elements of its bias, on their way into memory.
enum class RowOrder {
    kAsStored,
    kHalfSplit,  ///< Stored for interleaved rotation; put into half-split order.
};

/// One tensor on its way. Exactly one of `matrix` and `vector` is set; it gets its data pointer
/// when memory exists.
struct PlannedTensor {
    const gguf::Tensor* tensor = nullptr;
    const quant::TypeTraits* type = nullptr;
    Matrix* matrix = nullptr;
    const float** vector = nullptr;  ///< Decoded to f32.
    RowOrder order = RowOrder::kAsStored;
    std::uint64_t memory_offset = 0;
    std::uint64_t memory_bytes = 0;
};

class WeightPlan {
  public:
    /// Targets point into `weights`, whose layers are created here and must not move afterwards.
    /// @errors as load_weights.
    static Result<WeightPlan> make(const gguf::File& file, const ModelSpec& spec, Weights& weights);

    const std::vector<PlannedTensor>& tensors() const noexcept { return tensors_; }
    std::uint64_t total_bytes() const noexcept { return total_bytes_; }

  private:
    WeightPlan(const gguf::File& file, const ModelSpec& spec) : file_(&file), spec_(&spec) {}

    struct Linear;
    Result<> add_layer(std::int32_t index, LayerWeights& layer);
    Result<> add_linear(const std::string& block, const Linear& linear);
    Result<> add_matrix(const std::string& name,
                        std::int32_t rows,
                        std::int32_t cols,
                        Matrix& matrix);
    Result<> add_vector(const std::string& name, std::int32_t size, const float*& vector);
    /// Whether to look for a tensor: never, always, or if it is there.
    bool wanted(Presence presence, const std::string& name) const;
    Result<PlannedTensor> find(const std::string& name, const std::vector<std::uint64_t>& shape);
    void place(PlannedTensor planned);
    Result<> refuse_unknown() const;

    const gguf::File* file_;
    const ModelSpec* spec_;
    std::vector<PlannedTensor> tensors_;
    std::unordered_set<std::string> names_;
    std::uint64_t total_bytes_ = 0;
};

}  // namespace notso::ml

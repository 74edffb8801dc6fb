#include "app/commands/tensor_dump.hpp"

#include "app/answer.hpp"
#include "app/row_file.hpp"
#include "ml/quant/type_table.hpp"

namespace notso::app {
namespace {

constexpr std::size_t kWeightsAtOnce = 256 * 1024;  // whole blocks of every type

}  // namespace

Result<> dump_tensor(const ml::gguf::File& file, const std::string& name, const std::string& out) {
    const ml::gguf::Tensor* tensor = file.find_tensor(name);
    if (tensor == nullptr)
        return fail(ErrorCode::kNotFound,
                    "{}: no tensor '{}'; `notso inspect` without --tensor lists them",
                    file.path().string(),
                    terminal_safe(name));
    const ml::quant::TypeTraits* type = ml::quant::find_type(tensor->type);
    if (type == nullptr)
        return fail(ErrorCode::kUnsupported,
                    "{}: tensor '{}' has a type that can't be decoded; those that can: {}",
                    file.path().string(),
                    terminal_safe(name),
                    ml::quant::runnable_type_names());
    NOTSO_CHECK(file.check_whole());
    NOTSO_TRY(RowFile rows, RowFile::create(out));
    const std::size_t part = kWeightsAtOnce / type->elements * type->bytes;
    std::vector<float> weights;
    for (std::size_t at = 0; at < tensor->data.size(); at += part) {
        const auto blocks = tensor->data.subspan(at, std::min(part, tensor->data.size() - at));
        weights.resize(blocks.size() / type->bytes * type->elements);
        type->decode(blocks.data(), weights.data(), weights.size());
        NOTSO_CHECK(rows.write(weights));
    }
    return {};
}

}  // namespace notso::app

// Any bytes as the start of a GGUF file, and as a whole one. A header that passes must keep its
// promises: everything it points to lies in the file, names are unique, values read as they say.
#include "ml/gguf/header.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace notso;
using namespace notso::ml::gguf;

void check_header(const Header& header, std::uint64_t file_size) {
    for (const TensorInfo& tensor : header.tensors) {
        FUZZ_CHECK(tensor.offset <= file_size && tensor.bytes <= file_size - tensor.offset);
        FUZZ_CHECK(!tensor.shape.empty() && tensor.shape.size() <= 4);
        FUZZ_CHECK(tensor.name.size() <= 63);
    }
    for (std::size_t i = 0; i < header.tensors.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const TensorInfo& a = header.tensors[i];
            const TensorInfo& b = header.tensors[j];
            FUZZ_CHECK(a.name != b.name);
            FUZZ_CHECK(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset);
        }
    }
}

void read_keys(const File& file) {
    for (const KeyValue& item : file.metadata()) {
        FUZZ_CHECK(file.find(item.key) == &item);
        (void)file.get_uint(item.key);
        (void)file.get_float(item.key);
        (void)file.get_bool(item.key);
        (void)file.get_string(item.key);
        (void)file.get_strings(item.key);
        (void)file.get_ints(item.key);
    }
    for (const Tensor& tensor : file.tensors())
        FUZZ_CHECK(file.find_tensor(tensor.name) == &tensor);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const notso::test::MemoryFile memory;
    const auto bytes = notso::test::bytes_of(data, size);
    const auto outcome = parse_header(bytes, size);
    FUZZ_CHECK(outcome.wanted == 0);  // all of the file is there
    if (outcome.header) check_header(*outcome.header, size);
    // The same bytes as the start of a longer file: more may be wanted, never less than there is.
    const auto longer = parse_header(bytes, std::uint64_t{size} + 4096);
    FUZZ_CHECK(longer.wanted == 0 || longer.wanted > size);
    memory.assign(bytes);
    const auto file = File::open(memory.path());
    FUZZ_CHECK(file.has_value() == outcome.header.has_value());
    if (file) read_keys(**file);
    return 0;
}

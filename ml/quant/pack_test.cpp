#include "ml/quant/pack.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "ml/quant/type_table.hpp"

namespace notso::ml::quant {
namespace {

std::vector<std::byte> random_bytes(std::size_t n) {
    std::mt19937 rng(7);
    std::vector<std::byte> out(n);
    for (std::byte& byte : out) byte = static_cast<std::byte>(rng() & 0xFF);
    return out;
}

class Pack : public testing::TestWithParam<const TypeTraits*> {
  protected:
    const PackFields& fields_ = *find_pack_fields(GetParam()->type);
    std::size_t row_bytes_ = std::size_t{3} * GetParam()->bytes;
    std::vector<std::byte> rows_ = random_bytes(kPackRows * row_bytes_);
    std::vector<std::byte> panel_ = std::vector<std::byte>(kPackRows * row_bytes_);

    std::vector<std::byte> row(std::size_t index) const {
        std::vector<std::byte> out(row_bytes_);
        unpack_row(fields_, panel_.data(), index, row_bytes_, out.data());
        return out;
    }
    std::vector<std::byte> packed_row(std::size_t index) const {
        const std::byte* begin = rows_.data() + index * row_bytes_;
        return {begin, begin + row_bytes_};
    }
};

TEST_P(Pack, FieldsFillTheBlock) {
    std::size_t bytes = 0;
    for (const PackFields::Run& run : fields_.runs)
        bytes += std::size_t{run.field_bytes} * run.count;
    EXPECT_EQ(bytes, GetParam()->bytes);
    EXPECT_EQ(fields_.block_bytes, GetParam()->bytes);
}

TEST_P(Pack, CanBeUndone) {
    pack_rows(fields_, rows_.data(), kPackRows, row_bytes_, panel_.data());
    for (std::size_t i = 0; i < kPackRows; ++i) EXPECT_EQ(row(i), packed_row(i)) << i;
    std::vector<std::byte> before = rows_;
    std::vector<std::byte> after = panel_;
    std::ranges::sort(before);
    std::ranges::sort(after);
    EXPECT_EQ(before, after) << "the same bytes in another order";
}

TEST_P(Pack, MissingRowsAreZeros) {
    std::ranges::fill(panel_, std::byte{0xFF});
    pack_rows(fields_, rows_.data(), 5, row_bytes_, panel_.data());
    EXPECT_EQ(row(4), packed_row(4));
    EXPECT_EQ(row(5), std::vector<std::byte>(row_bytes_));
}

std::vector<const TypeTraits*> packed_types() {
    std::vector<const TypeTraits*> types;
    for (const TypeTraits& type : runnable_types())
        if (find_pack_fields(type.type) != nullptr) types.push_back(&type);
    return types;
}

INSTANTIATE_TEST_SUITE_P(Types, Pack, testing::ValuesIn(packed_types()), [](const auto& set) {
    return std::string(set.param->name);
});

}  // namespace
}  // namespace notso::ml::quant

// Angles and scalings against the numpy oracle (rope_tables of tools/reference.py), position 100,
// base 100, 16 dimensions.
#include "ml/model/rope.hpp"

#include <gtest/gtest.h>

namespace notso::ml {
namespace {

struct RopeCase {
    RopeScaling scaling;
    double factor;
    std::vector<float> expected;
};

// clang-format off
const RopeCase kCases[] = {
    {RopeScaling::kNone, 1,
     {0.862318872f, 0.950940265f, 0.978682697f, 0.482962239f, -0.839071529f, 0.790131968f, -0.999786073f, -0.20599762f,
      -0.506365641f, -0.309374551f, 0.205378138f, -0.87564118f, -0.544021111f, -0.612936761f, -0.0206835315f,
      0.978552493f}},
    {RopeScaling::kLinear, 4,
     {0.991202812f, 0.0785528007f, -0.0516894714f, -0.263540339f, -0.801143616f, 0.164196119f, 0.703440716f,
      0.902795742f, -0.13235175f, 0.996909955f, 0.998663206f, -0.964648376f, 0.598472144f, 0.986427714f, 0.710753937f,
      0.430069585f}},
    {RopeScaling::kYarn, 4,
     {0.981861651f, -0.888848507f, -1.12671425f, -1.06733127f, -0.744257867f, 0.186958534f, 0.800958305f, 1.02794981f,
      -0.576562824f, -0.711635669f, -0.164292413f, -0.396586621f, -0.861717598f, 1.12317563f, 0.809285355f,
      0.489689889f}}};
// clang-format on

TEST(RopeTable, EqualsTheOracle) {
    for (const RopeCase& test : kCases) {
        const RopeConfig config{.n_rot = 16,
                                .base = 100,
                                .scaling = test.scaling,
                                .factor = test.factor,
                                .original_context = 64};
        const RopeTable table(config, {});
        ASSERT_EQ(table.n_pairs(), 8);
        std::vector<float> cos_sin(16);
        table.write(100, cos_sin.data());
        for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(cos_sin[i], test.expected[i], 1e-6f) << i;
    }
}

TEST(RopeTable, DivisorsSlowPairsDown) {
    const std::vector<float> divisors = {1, 2, 4, 8};
    const RopeTable divided({.n_rot = 8, .base = 100}, divisors);
    const RopeTable plain({.n_rot = 8, .base = 100}, {});
    std::vector<float> a(8);
    std::vector<float> b(8);
    divided.write(8, a.data());
    for (std::size_t i = 0; i < 4; ++i) {
        plain.write(8 >> i, b.data());
        EXPECT_FLOAT_EQ(a[i], b[i]) << i;
    }
}

}  // namespace
}  // namespace notso::ml

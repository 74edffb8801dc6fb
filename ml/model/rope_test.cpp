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

TEST(RopeTable, YarnsRampBeginsAndEndsWhereTheFileSays) {
    // clang-format off
    const float expected[] = {
        0.981861651f, -0.266119958f, -1.13254505f, -0.300074787f, -0.912205703f, 0.186958534f, 0.800958305f, 1.02794981f,
        -0.576562824f, -1.10709402f, -0.117552953f, -1.09837704f, 0.681438f, 1.12317563f, 0.809285355f, 0.489689889f};
    // clang-format on
    const RopeTable table({.n_rot = 16,
                           .base = 100,
                           .scaling = RopeScaling::kYarn,
                           .factor = 4,
                           .original_context = 64,
                           .beta_fast = 8,
                           .beta_slow = 2},
                          {});
    std::vector<float> cos_sin(16);
    table.write(100, cos_sin.data());
    for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(cos_sin[i], expected[i], 1e-6f) << i;
}

TEST(RopeTable, AnglesAreExactAtTheLastOf131072Positions) {
    // Computed with 60 decimal digits: base 5e6, 16 dimensions, position 131,071.
    // clang-format off
    const float expected[] = {
        -0.817983499f, -0.875426695f, 0.59826922f, 0.575455045f, -0.47702715f, -0.621106822f, 0.325181206f, 0.98379648f,
        -0.575241684f, -0.483350909f, 0.801295164f, 0.817833413f, 0.878888559f, 0.783725919f, 0.945651724f, 0.179288835f};
    // clang-format on
    const RopeTable table({.n_rot = 16, .base = 5e6}, {});
    std::vector<float> cos_sin(16);
    table.write(131'071, cos_sin.data());
    for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(cos_sin[i], expected[i], 1e-7f) << i;
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

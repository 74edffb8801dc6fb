// What a model needs, seen from its first bytes.
#include "services/models/model_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/bytes.hpp"
#include "ml/model/golden_models.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;

MachineRoom room(std::uint64_t disk, std::uint64_t memory) {
    return {[disk](const auto&) { return Result<std::uint64_t>(disk); },
            [memory] { return memory; }};
}

const MachineRoom kEnough = room(std::uint64_t{1} << 40, std::uint64_t{1} << 40);

std::string tiny_model() {
    std::ifstream in(ml::test::golden_model("tiny_smollm3"), std::ios::binary);
    return (std::ostringstream() << in.rdbuf()).str();
}

TEST(ModelCheck, AsksForBytesUntilTheHeaderIsThere) {
    const std::string model = tiny_model();
    std::size_t have = 1;
    std::optional<ModelNeeds> needs;
    int looks = 0;
    while (!needs) {
        const auto look =
            look_at_start(std::string_view(model).substr(0, have), model.size(), kEnough);
        ASSERT_TRUE(look) << look.error().detail << " at " << have;
        needs = look->needs;
        if (needs) break;
        ASSERT_GT(look->wanted, have) << "or a caller would ask for ever";
        have = std::max(look->wanted, 2 * have);
        ASSERT_LT(++looks, 40);
    }
    EXPECT_LT(have, model.size()) << "not all of the file is needed";
    const auto whole = check_model(ml::test::golden_model("tiny_smollm3"), kEnough);
    ASSERT_TRUE(whole) << whole.error().detail;
    EXPECT_EQ(needs->memory_bytes, whole->memory_bytes);
    EXPECT_EQ(needs->memory, whole->memory);
}

TEST(ModelCheck, AWebPageIsNoModel) {
    const auto look = look_at_start("<!DOCTYPE html><html>", 5000, kEnough);
    ASSERT_FALSE(look);
    EXPECT_EQ(look.error().code, ErrorCode::kCorruptData);
    EXPECT_THAT(look.error().detail, HasSubstr("<!DOCTYPE html>"));
}

TEST(ModelCheck, AHeaderThatIsTooLargeForItsFileIsRefused) {
    const std::string model = tiny_model();
    const auto look = look_at_start(model, model.size() / 2, kEnough);
    ASSERT_FALSE(look);
    EXPECT_EQ(look.error().code, ErrorCode::kCorruptData);
}

TEST(ModelCheck, TooLittleMemorySaysTheNumbers) {
    const auto look = look_at_start(tiny_model(), tiny_model().size(), room(0, 5 * kMiB));
    ASSERT_FALSE(look);
    EXPECT_EQ(look.error().code, ErrorCode::kOutOfMemory);
    EXPECT_THAT(look.error().detail, HasSubstr("5.0 MiB are available"));
    EXPECT_THAT(look.error().detail, ::testing::Not(HasSubstr("/proc/")));
}

TEST(ModelCheck, DiskKeepsAMargin) {
    EXPECT_TRUE(check_disk(room(228 * kMiB, 0), ".", 100 * kMiB));
    const auto refused = check_disk(room(227 * kMiB, 0), "models", 100 * kMiB);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
    EXPECT_THAT(refused.error().detail, HasSubstr("100.0 MiB more are needed in models"));
    EXPECT_THAT(refused.error().detail, HasSubstr("227.0 MiB are free"));
    EXPECT_FALSE(check_disk(room(0, 0), ".", 0));
    EXPECT_FALSE(check_disk(room(~std::uint64_t{0}, 0), ".", ~std::uint64_t{0}));
}

TEST(ModelCheck, ThisMachineHasRoom) {
    const TempDirectory folder;
    EXPECT_GT(this_machine().disk_bytes(folder.path()).value_or(0), 0U);
    EXPECT_FALSE(this_machine().disk_bytes(folder.path() / "none"));
    EXPECT_GT(this_machine().memory_bytes(), 64 * kMiB);
}

}  // namespace
}  // namespace notso::services

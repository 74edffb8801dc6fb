#include "services/accounts/password.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

TEST(Password, IsKeptAsAnArgon2idHash) {
    const auto hash = hash_password("correct horse");
    ASSERT_TRUE(hash) << hash.error().detail;
    EXPECT_TRUE(hash->starts_with("$argon2id$"));
    EXPECT_FALSE(hash->contains("horse"));
    EXPECT_NE(*hash, *hash_password("correct horse")) << "salted";
    EXPECT_TRUE(verify_password(*hash, "correct horse"));
    for (const char* wrong : {"", "correct hors", "correct horse ", "Correct horse"})
        EXPECT_FALSE(verify_password(*hash, wrong)) << wrong;
}

TEST(Password, NobodysHashFitsNothing) {
    for (const char* password : {"", "x", "correct horse"})
        EXPECT_FALSE(verify_password("", password)) << password;
    EXPECT_FALSE(verify_password("no hash at all", "correct horse"));
}

TEST(Password, HasEightToAThousandBytes) {
    EXPECT_FALSE(check_password("1234567"));
    EXPECT_TRUE(check_password("12345678"));
    EXPECT_TRUE(check_password(std::string(1024, 'x')));
    EXPECT_FALSE(check_password(std::string(1025, 'x')));
    const auto hash = hash_password(std::string(1024, 'x'));
    EXPECT_FALSE(verify_password(*hash, std::string(1'000'000, 'x'))) << "and is not even hashed";
    EXPECT_FALSE(hash_password("short"));
}

}  // namespace
}  // namespace notso::services

// SHA-256 against the standard's own examples.
#include "services/models/sha256.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256Test, KnownAnswers) {
    Sha256 hash;
    const std::string_view text = "abc";
    hash.update(std::as_bytes(std::span(text)).first(1));
    hash.update(std::as_bytes(std::span(text)).subspan(1));
    EXPECT_EQ(hash.hex(), kAbc);
    EXPECT_EQ(Sha256().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256Test, FilesOfManyPieces) {
    const TempDirectory folder;
    const auto path = folder.path() / "a";
    std::ofstream(path) << std::string(1'000'000, 'a');
    std::uint64_t seen = 0;
    EXPECT_EQ(sha256_of_file(path, {}, [&](std::uint64_t bytes) { seen = bytes; }), kMillionA);
    EXPECT_EQ(seen, 1'000'000U);
    EXPECT_EQ(sha256_of_file(folder.path() / "none").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(sha256_of_file(folder.path()).error().code, ErrorCode::kIo);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(sha256_of_file(path, stop.get_token()).error().code, ErrorCode::kCancelled);
}

TEST(Sha256Test, ReadsHexDigits) {
    std::string upper = kAbc;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(parse_sha256(upper), kAbc);
    for (const std::string& text : {std::string(),
                                    std::string(63, 'a'),
                                    std::string(65, 'a'),
                                    std::string(63, 'a') + "g",
                                    std::string(63, 'a') + " "})
        EXPECT_FALSE(parse_sha256(text)) << text;
}

}  // namespace
}  // namespace notso::services

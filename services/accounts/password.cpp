#include "services/accounts/password.hpp"

#include <sodium.h>

#include <array>

namespace notso::services {
namespace {

constexpr std::size_t kFewestBytes = 8;
constexpr std::size_t kMostBytes = 1024;

/// Of a password that nobody knows.
const std::string& nobodys_hash() {
    static const std::string kHash = [] {
        std::array<char, 32> secret{};
        randombytes_buf(secret.data(), secret.size());
        const auto hash = hash_password(std::string(secret.data(), secret.size()));
        return hash ? *hash : std::string();
    }();
    return kHash;
}

}  // namespace

Result<> check_password(const std::string& password) {
    if (password.size() >= kFewestBytes && password.size() <= kMostBytes) return {};
    return fail(ErrorCode::kInvalidArgument,
                "a password has {} to {} bytes: choose another one",
                kFewestBytes,
                kMostBytes);
}

Result<std::string> hash_password(const std::string& password) {
    NOTSO_CHECK(check_password(password));
    if (sodium_init() < 0) return fail(ErrorCode::kInternal, "libsodium can't be used here");
    std::array<char, crypto_pwhash_STRBYTES> hash{};
    if (crypto_pwhash_str(hash.data(),
                          password.data(),
                          password.size(),
                          crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
        return fail(ErrorCode::kOutOfMemory,
                    "there is not enough memory to hash a password (64 MiB): try again later");
    }
    return std::string(hash.data());
}

bool verify_password(const std::string& hash, const std::string& password) {
    if (sodium_init() < 0 || password.size() > kMostBytes) return false;
    const std::string& known = hash.empty() ? nobodys_hash() : hash;
    const bool same =
        crypto_pwhash_str_verify(known.c_str(), password.data(), password.size()) == 0;
    return same && !hash.empty();
}

}  // namespace notso::services

// See sha256.hpp. The work is OpenSSL's.
#include "services/models/sha256.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/assert.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kHashPiece = 1 << 20;

}  // namespace

Result<std::string> parse_sha256(std::string_view text) {
    std::string hex(text);
    for (char& c : hex)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (hex.size() != kHexDigits || hex.find_first_not_of("0123456789abcdef") != std::string::npos)
        return fail(ErrorCode::kInvalidArgument, "a SHA-256 has {} hex digits", kHexDigits);
    return hex;
}

struct Sha256::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();
    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    NOTSO_ASSERT(
        context_->evp != nullptr && EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1,
        "SHA-256 is always there");
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
    NOTSO_ASSERT(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1,
                 "hashing memory can't fail");
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    NOTSO_ASSERT(EVP_DigestFinal_ex(context_->evp, digest.data(), &size) == 1,
                 "hex() is called once");
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

Result<std::string> sha256_of_file(const std::filesystem::path& path,
                                   const std::stop_token& stop,
                                   const std::function<void(std::uint64_t)>& on_bytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                    "{}: {}",
                    path.string(),
                    std::strerror(errno));
    Sha256 hash;
    std::vector<std::byte> piece(kHashPiece);
    std::uint64_t done = 0;
    ssize_t got = 0;
    int error = 0;
    while (!stop.stop_requested()) {
        got = ::read(fd, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        error = errno;
        if (got <= 0) break;
        hash.update(std::span(piece).first(static_cast<std::size_t>(got)));
        done += static_cast<std::uint64_t>(got);
        if (on_bytes) on_bytes(done);
    }
    ::close(fd);
    if (stop.stop_requested())
        return fail(ErrorCode::kCancelled, "{}: stopped while it was checked", path.string());
    if (got < 0) return fail(ErrorCode::kIo, "{}: {}", path.string(), std::strerror(error));
    return hash.hex();
}

}  // namespace notso::services

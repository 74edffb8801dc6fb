#include "web/routes/client_user.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstring>

#include "web/middleware/request_guard.hpp"

namespace notso::web {

std::uint64_t client_user(const Request& request) {
    // A hash that nobody can steer: two clients can't be made to look like one.
    std::string who = request.owner.value;
    if (!request.owner_is_one_person)
        who += '\n' + request.remote_address + '\n' + credential(request.header("authorization"));
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(who.data()), who.size(), digest.data());
    std::uint64_t user = 0;
    std::memcpy(&user, digest.data(), sizeof(user));
    return user;
}

}  // namespace notso::web

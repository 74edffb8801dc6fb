#include "services/net/resolver.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <ctime>

namespace notso::services {
namespace {

/// A lookup that the C library runs on a thread of its own; it reads and writes this meanwhile.
struct Lookup {
    explicit Lookup(std::string name) : host(std::move(name)) {
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        request.ar_name = host.c_str();
        request.ar_request = &hints;
    }
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;
    ~Lookup() {
        if (request.ar_result != nullptr) ::freeaddrinfo(request.ar_result);
    }

    const std::string host;
    addrinfo hints{};
    gaicb request{};
};

std::vector<IpAddress> addresses_in(const addrinfo* list) {
    std::vector<IpAddress> out;
    for (; list != nullptr; list = list->ai_next) {
        const auto address = IpAddress::from(*list->ai_addr);
        if (address && std::ranges::find(out, *address) == out.end()) out.push_back(*address);
    }
    return out;
}

class SystemResolver final : public Resolver {
  public:
    Result<std::vector<IpAddress>> resolve(const std::string& host,
                                           std::stop_token stop,
                                           SteadyClock::time_point deadline) override {
        auto lookup = std::make_unique<Lookup>(host);
        gaicb* list[] = {&lookup->request};
        if (::getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) != 0)
            return fail(ErrorCode::kUnavailable, "no name can be looked up now; try again later");
        while (::gai_error(&lookup->request) == EAI_INPROGRESS) {
            const bool late = SteadyClock::now() >= deadline;
            if (late || stop.stop_requested()) {
                // One that can't be called back is left to the library for ever: a few hundred
                // bytes, instead of a thread that waits for a dead name server.
                if (::gai_cancel(&lookup->request) != EAI_CANCELED) std::ignore = lookup.release();
                return fail(late ? ErrorCode::kTimeout : ErrorCode::kCancelled,
                            "the name of the host was not found in time");
            }
            constexpr timespec kStep{.tv_sec = 0, .tv_nsec = 20'000'000};
            const gaicb* const waited[] = {&lookup->request};
            ::gai_suspend(waited, 1, &kStep);
        }
        std::vector<IpAddress> found = addresses_in(lookup->request.ar_result);
        if (::gai_error(&lookup->request) == 0 && !found.empty()) return found;
        return fail(ErrorCode::kUnavailable,
                    "no host named {} was found; check the address and the network",
                    host);
    }
};

}  // namespace

std::shared_ptr<Resolver> system_resolver() { return std::make_shared<SystemResolver>(); }

}  // namespace notso::services

// Resolver: from a host's name to its addresses, asked once, so that what was checked is what is
// connected to.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "services/net/ip_address.hpp"

namespace notso::services {

/// Thread-safe.
class Resolver {
  public:
    Resolver() = default;
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    virtual ~Resolver() = default;

    /// Every address of a name, at least one.
    /// @errors kUnavailable: there is no such host. kTimeout, kCancelled.
    virtual Result<std::vector<IpAddress>> resolve(const std::string& host,
                                                   std::stop_token stop,
                                                   SteadyClock::time_point deadline) = 0;
};

/// The system's name service.
std::shared_ptr<Resolver> system_resolver();

}  // namespace notso::services

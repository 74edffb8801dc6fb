// Fetching a page of the public web as a tool. What a model names may have been written by somebody
// else, so nothing on this machine or near it can be reached: names are resolved once, every
// address is checked, and exactly a checked one is connected to; each redirect goes through the
// same again.
#pragma once

#include <vector>

#include "services/net/resolver.hpp"
#include "services/tools/tool_box.hpp"

namespace notso::services {

/// Where it may go. Tests bring their own.
struct WebFetchPolicy {
    std::shared_ptr<Resolver> resolver = system_resolver();
    bool (*may_reach)(const IpAddress&) = [](const IpAddress& a) { return a.is_public(); };
    std::vector<std::uint16_t> ports = {80, 443, 8080, 8443};
    int max_redirects = 5;
    std::uint64_t max_body_bytes = 4 * 1024 * 1024;
};

ToolPtr make_web_fetch(WebFetchPolicy policy);
/// With the usual policy.
ToolPtr make_web_fetch();

}  // namespace notso::services

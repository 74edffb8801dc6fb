#include "web/http/router.hpp"

#include <algorithm>
#include <limits>

#include "web/http/url.hpp"

namespace notso::web {
namespace {

std::vector<std::string_view> split_path(std::string_view path) {
    std::vector<std::string_view> segments;
    path.remove_prefix(std::min<std::size_t>(path.starts_with('/') ? 1 : 0, path.size()));
    while (true) {
        const auto slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

bool is_param(std::string_view segment) {
    return segment.starts_with('{') && segment.ends_with('}');
}

constexpr std::size_t kNoMatch = std::numeric_limits<std::size_t>::max();

/// How many segments are parameters (fewer is better), or kNoMatch.
std::size_t match_cost(std::string_view pattern, const std::vector<std::string_view>& path) {
    const auto wanted = split_path(pattern);
    if (wanted.size() != path.size()) return kNoMatch;
    std::size_t cost = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (is_param(wanted[i]) && !path[i].empty()) {
            ++cost;
        } else if (wanted[i] != path[i]) {
            return kNoMatch;
        }
    }
    return cost;
}

bool serves(const Route& route, Method method) {
    return route.method == method || (method == Method::kHead && route.method == Method::kGet);
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

Result<RouteMatch> Router::find(Method method, std::string_view path) const {
    RouteMatch match;
    const auto segments = split_path(path);
    std::size_t best = kNoMatch;
    for (const Route& route : routes_) {
        const std::size_t cost = match_cost(route.pattern, segments);
        if (cost == kNoMatch) continue;
        match.api = match.api || route.api;
        match.allowed.push_back(route.method);
        if (route.method == Method::kGet) match.allowed.push_back(Method::kHead);
        if (!serves(route, method) || cost >= best) continue;
        best = cost;
        match.route = &route;
    }
    if (match.route == nullptr) {
        std::ranges::sort(match.allowed);
        match.allowed.erase(std::ranges::unique(match.allowed).begin(), match.allowed.end());
        return match;
    }
    match.allowed.clear();
    match.api = match.route->api;
    const auto wanted = split_path(match.route->pattern);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!is_param(wanted[i])) continue;
        NOTSO_TRY(auto value, decode_path(segments[i]));
        match.params.emplace(wanted[i].substr(1, wanted[i].size() - 2), std::move(value));
    }
    return match;
}

}  // namespace notso::web

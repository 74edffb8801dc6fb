// Finds the route of a request. Patterns are literal segments and {name} segments; literals win.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "web/http/exchange.hpp"

namespace notso::web {

struct RouteMatch {
    const Route* route = nullptr;  ///< Null: nothing there for this method.
    std::map<std::string, std::string> params;
    std::vector<Method>
        allowed;       ///< Methods of the path, when `route` is null; empty = no such path.
    bool api = false;  ///< The path belongs to the API (errors are JSON), whatever the method.
};

class Router {
  public:
    explicit Router(std::vector<Route> routes);

    /// @param path  Still percent-encoded, so that an encoded slash never splits a segment. HEAD
    /// finds GET routes.
    /// @errors kInvalidArgument when a parameter's encoding is bad.
    Result<RouteMatch> find(Method method, std::string_view path) const;

  private:
    std::vector<Route> routes_;
};

}  // namespace notso::web

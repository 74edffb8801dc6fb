// PageRenderer: the embedded page templates in one language, parsed once, and rendered with every
// value HTML-escaped.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "services/template/template.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Immutable after construction; render() may run on any thread.
class PageRenderer {
  public:
    /// Parses every template; one that does not parse is a bug and ends the process (a test renders
    /// them all).
    explicit PageRenderer(const Language& language);

    const Language& language() const { return language_; }

    /// Renders a template by its path below templates/. A failure (a budget) is logged and gives a
    /// short plain notice.
    std::string render(std::string_view name, const boost::json::object& variables) const;

  private:
    const Language& language_;
    std::map<std::string, std::shared_ptr<const services::jinja::Template>, std::less<>> templates_;
};

}  // namespace notso::web

#include "web/pages/page_renderer.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "web/assets/assets.hpp"

namespace notso::web {
namespace {

namespace jinja = services::jinja;

// Conversations may be long; the templates are ours, so the budget only bounds memory.
constexpr std::size_t kMaxPageBytes = std::size_t{64} << 20;

std::optional<std::string> load(const Language& language, std::string_view name) {
    for (const PageTemplate& page : page_templates()) {
        if (page.name == name) return translated_template(page.source, language);
    }
    return std::nullopt;
}

jinja::Options page_options(const Language& language) {
    jinja::Options options;
    options.auto_escape = true;
    options.limits.max_output_bytes = kMaxPageBytes;
    options.limits.max_time = std::chrono::seconds(5);
    options.loader = [&language](std::string_view name) { return load(language, name); };
    return options;
}

}  // namespace

PageRenderer::PageRenderer(const Language& language) : language_(language) {
    for (const PageTemplate& page : page_templates()) {
        auto parsed = jinja::Template::parse(translated_template(page.source, language),
                                             page_options(language));
        if (!parsed) log::error("page template {}: {}", page.name, parsed.error().detail);
        NOTSO_ASSERT(parsed.has_value(), "a page template does not parse");
        templates_.emplace(std::string(page.name), *std::move(parsed));
    }
}

std::string PageRenderer::render(std::string_view name,
                                 const boost::json::object& variables) const {
    const auto found = templates_.find(name);
    NOTSO_ASSERT(found != templates_.end(), "a page names a template that does not exist");
    Result<std::string> html = found->second->render({.variables = variables});
    if (html) return *std::move(html);
    log::error("page template {} failed: {}", name, html.error().detail);
    return "<p role=\"alert\">This part of the page could not be drawn.</p>";
}

}  // namespace notso::web

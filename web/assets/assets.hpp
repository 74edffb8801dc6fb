// The page's files, embedded in the program: style sheet, script, icon (with a content hash in
// their URLs, so that browsers may keep them for ever) and the templates of the pages. Made by
// embed.py at build time.
#pragma once

#include <span>
#include <string_view>

namespace notso::web {

struct Asset {
    std::string_view name;  ///< As bundles.json calls it: "app.css"
    std::string_view url;   ///< "/assets/app.0123456789ab.css"
    std::string_view content_type;
    std::string_view bytes;
    std::string_view gzip_bytes;  ///< The same, compressed.
};

struct PageTemplate {
    std::string_view name;  ///< "partials/answer.html"
    std::string_view source;
};

std::span<const Asset> assets();
std::span<const PageTemplate> page_templates();

/// The asset at a URL path, or null.
const Asset* find_asset(std::string_view url);
/// URL of an asset by its name; asserts that there is one (names are ours).
std::string_view asset_url(std::string_view name);

}  // namespace notso::web

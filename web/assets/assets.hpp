// The page's files, embedded in the program: style sheet, script, icon (with a content hash in
// their URLs, so that browsers may keep them for ever), the templates of the pages, and their texts
// in other languages. Made by embed.py at build time.
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

/// What the pages say in a language other than English: web/language/language.hpp.
struct Catalogue {
    std::string_view code;    ///< "de"
    std::string_view source;  ///< JSON.
};

std::span<const Asset> assets();
std::span<const PageTemplate> page_templates();
std::span<const Catalogue> catalogues();

/// The asset at a URL path, or null.
const Asset* find_asset(std::string_view url);
/// URL of an asset by its name; asserts that there is one (names are ours).
std::string_view asset_url(std::string_view name);

}  // namespace notso::web

// Look-up in the embedded files; the table itself is generated.
#include "web/assets/assets.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace notso::web {

const Asset* find_asset(std::string_view url) {
    const auto found = std::ranges::find(assets(), url, &Asset::url);
    return found == assets().end() ? nullptr : &*found;
}

std::string_view asset_url(std::string_view name) {
    const auto found = std::ranges::find(assets(), name, &Asset::name);
    NOTSO_ASSERT(found != assets().end(), "a page names an asset that bundles.json does not have");
    return found->url;
}

}  // namespace notso::web

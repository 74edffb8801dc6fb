#include "web/pages/search_view.hpp"

#include <fmt/format.h>

#include "web/pages/format.hpp"
#include "web/pages/page_view.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;

json::object hit_view(const Language& language, const services::SearchHit& hit, UnixMs now) {
    const bool in_title = hit.message.value.empty();
    const std::string_view snippet = hit.snippet;
    return {{"path",
             "/chat/" + hit.conversation.id.value +
                 (in_title ? "" : fmt::format("?at={0}#m-{0}", hit.message.value))},
            {"title", title_of(language, hit.conversation)},
            {"in_title", in_title},
            {"before", snippet.substr(0, hit.begin)},
            {"match", snippet.substr(hit.begin, hit.end - hit.begin)},
            {"after", snippet.substr(hit.end)},
            {"day", day_label(language, hit.conversation.updated_at, now)}};
}

}  // namespace

json::object search_view(const Language& language,
                         std::string_view query,
                         const std::vector<services::SearchHit>& hits) {
    json::array views;
    const UnixMs now = now_ms();
    for (const services::SearchHit& hit : hits) views.push_back(hit_view(language, hit, now));
    return {{"query", query}, {"hits", std::move(views)}};
}

}  // namespace notso::web

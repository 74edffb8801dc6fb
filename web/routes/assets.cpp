#include "web/routes/assets.hpp"

#include "web/assets/assets.hpp"
#include "web/http/url.hpp"
#include "web/middleware/error_mapping.hpp"

namespace notso::web {
namespace {

Response asset_response(const Request& request) {
    const Asset* asset = find_asset(request.path);
    if (asset == nullptr) {
        return plain_error_page(404, Error{ErrorCode::kNotFound, "There is no such file here."});
    }
    Response response;
    response.content_type = asset->content_type;
    response.headers = {{"Cache-Control", "public, max-age=31536000, immutable"},
                        {"Vary", "Accept-Encoding"}};
    if (has_token(request.header("accept-encoding"), "gzip")) {
        response.headers.push_back({"Content-Encoding", "gzip"});
        response.body = asset->gzip_bytes;
    } else {
        response.body = asset->bytes;
    }
    return response;
}

}  // namespace

void add_asset_routes(std::vector<Route>& routes) {
    Route route{Method::kGet, "/assets/{file}", [](Exchange& exchange) {
                    return exchange.respond(asset_response(exchange.request()));
                }};
    route.open = true;
    routes.push_back(std::move(route));
}

}  // namespace notso::web

// Renders many templates in one process, for jinja_differential.py: a line of JSON in, [source,
// variables], is a line out, {"text": …} or {"error": …}. Limits are the default ones but for the
// time, which a busy machine would decide.
#include <iostream>
#include <string>

#include "services/template/template.hpp"

namespace {

namespace jinja = notso::services::jinja;
namespace json = boost::json;

notso::Result<std::string> render(const json::array& request) {
    jinja::Options options;
    options.limits.max_time = std::chrono::seconds(20);
    NOTSO_TRY(const auto parsed,
              jinja::Template::parse(std::string_view(request.at(0).as_string()), options));
    return parsed->render({request.at(1).as_object(), "2025-07-08T12:00:00"});
}

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        const auto text = render(json::parse(line).as_array());
        json::object row;
        if (text) {
            row["text"] = *text;
        } else {
            row["error"] = text.error().detail;
        }
        std::cout << row << '\n';
    }
    return 0;
}

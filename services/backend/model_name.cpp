#include "services/backend/model_name.hpp"

#include <algorithm>
#include <cctype>

namespace notso::services {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::string model_display_name(std::string_view file_stem, std::string_view file_type) {
    const std::string_view stem = file_stem;
    if (file_type.empty() || stem.size() < file_type.size() + 2) return std::string(stem);
    const std::size_t cut = stem.size() - file_type.size();
    const bool separated = std::string_view("-._").find(stem[cut - 1]) != std::string_view::npos;
    if (!separated || !equal_ignoring_case(stem.substr(cut), file_type)) return std::string(stem);
    return std::string(stem.substr(0, cut - 1));
}

}  // namespace notso::services

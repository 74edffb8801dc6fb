#include "web/pages/files_view.hpp"

#include "web/pages/format.hpp"

namespace notso::web {
namespace {

std::string size_of(const Language& language, std::int64_t bytes) {
    if (bytes < 1000) return format_counted(language, bytes, "byte");
    return format_size(language, static_cast<std::uint64_t>(bytes));
}

}  // namespace

boost::json::array files_view(const Language& language,
                              std::span<const services::AttachedFile> files) {
    boost::json::array view;
    for (const services::AttachedFile& file : files) {
        view.push_back(boost::json::object{
            {"id", file.id.value}, {"name", file.name}, {"size", size_of(language, file.bytes)}});
    }
    return view;
}

}  // namespace notso::web

#include "services/commands/named_models.hpp"

#include "services/template/unicode/unicode.hpp"

namespace notso::services {

NamedModels models_named(std::span<const ModelEntry> models, std::string_view name) {
    NamedModels named;
    for (const ModelEntry& model : models) {
        const std::string& id = model.info.id;
        if (id == name) named.id = id;
        if (unicode::lower(id).contains(unicode::lower(name))) named.similar.push_back(id);
        named.all.push_back(id);
    }
    if (!named.id && named.similar.size() == 1) named.id = named.similar.front();
    return named;
}

std::string id_list(const std::vector<std::string>& ids) {
    std::string list;
    for (const std::string& id : ids) list += (list.empty() ? "" : ", ") + id;
    return list;
}

}  // namespace notso::services

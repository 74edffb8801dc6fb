#include "services/backend/remote_models.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxNameBytes = 200;
constexpr std::int64_t kMaxContext = std::int64_t{1} << 24;

/// One short line: it is shown on the page, in terminals and in logs.
std::string shown(std::string_view text) {
    std::string out(truncate_utf8(text, kMaxNameBytes));
    std::erase_if(out, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    return out;
}

std::string_view text_at(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::int64_t number_at(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
    return number == nullptr ? 0 : std::max<std::int64_t>(*number, 0);
}

/// The first that is told, from what runs to what the model could do at most.
std::int64_t context_of(const json::object& model, const json::object& meta) {
    for (const std::int64_t told : {number_at(model, "max_model_len"),
                                    number_at(model, "context_length"),
                                    number_at(meta, "context_length"),
                                    number_at(meta, "n_ctx"),
                                    number_at(meta, "n_ctx_train")}) {
        if (told > 0) return std::min(told, kMaxContext);
    }
    return 0;
}

RemoteModel describe(const json::object& entry) {
    static const json::object kNothing;
    const json::value* value = entry.if_contains("meta");
    const json::object* given = value == nullptr ? nullptr : value->if_object();
    const json::object& meta = given == nullptr ? kNothing : *given;
    RemoteModel model;
    model.id = text_at(entry, "id");
    model.name = shown(text_at(meta, "name").empty() ? model.id : text_at(meta, "name"));
    model.context_length = context_of(entry, meta);
    model.n_parameters = static_cast<std::uint64_t>(number_at(meta, "n_params"));
    const json::value* thinks = meta.if_contains("can_think");
    if (thinks != nullptr && thinks->is_bool()) model.can_think = thinks->get_bool();
    return model;
}

}  // namespace

Result<RemoteModel> choose_remote_model(const json::value& listing, std::string_view wanted) {
    const json::object* object = listing.if_object();
    const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
    const json::array* entries = data == nullptr ? nullptr : data->if_array();
    if (entries == nullptr)
        return fail(ErrorCode::kCorruptData, "its list of models can't be read");
    for (const json::value& entry : *entries) {
        if (!entry.is_object()) continue;
        const std::string_view id = text_at(entry.get_object(), "id");
        const bool usable = !id.empty() && shown(id) == id;
        if (usable && (wanted.empty() || id == wanted)) return describe(entry.get_object());
    }
    if (wanted.empty()) return fail(ErrorCode::kNotFound, "it lists no model");
    return RemoteModel{.id = std::string(wanted), .name = shown(wanted)};
}

}  // namespace notso::services

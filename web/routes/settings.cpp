#include "web/routes/settings.hpp"

#include "services/settings/owner_presets.hpp"
#include "web/middleware/error_mapping.hpp"
#include "web/pages/format.hpp"
#include "web/routes/chat_forms.hpp"
#include "web/routes/settings_forms.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::OwnerSettings;
using Edit = services::SettingsDesk::Edit;

constexpr const char* kSettingsPath = "/settings";
constexpr const char* kPresetsPath = "/settings/presets";

/// What the page says after a form: only these, whatever a link asks for.
std::string_view told_of(const Language& language, std::string_view done) {
    if (done == "saved") return language.text("Saved. New chats begin with these values.");
    if (done == "preset") return language.text("The preset is kept.");
    if (done == "renamed") return language.text("The preset is renamed.");
    if (done == "deleted") return language.text("The preset is deleted.");
    if (done == "chosen") return language.text("That is what new chats begin with from now on.");
    return "";
}

std::string asked_value(const Request& request, const std::string& name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
}

json::array theme_choices(const Language& language, services::Theme chosen) {
    const std::array<std::string_view, 3> labels = {
        language.text("As the system"), language.text("Light"), language.text("Dark")};
    json::array view;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        view.push_back(json::object{{"name", services::kThemeNames[i]},
                                    {"label", labels[i]},
                                    {"chosen", static_cast<std::size_t>(chosen) == i}});
    }
    return view;
}

/// The page, with a form as it was typed or as it is stored.
Awaitable<> show_settings(Exchange& exchange,
                          const Pages& pages,
                          const OwnerSettings& own,
                          SettingsForm form) {
    const PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "Settings"));
    json::object view = frame_view(frame);
    view["plain"] = true;
    json::object settings =
        settings_view(frame.language, form, pages.context().chat.setting_limits());
    const bool editing = form.typed.contains("editing");
    settings["chat"] = nullptr;
    settings["editing"] = editing;
    settings["action"] = editing ? kPresetsPath : kSettingsPath;
    settings["told"] = told_of(frame.language, asked_value(exchange.request(), "done"));
    settings["themes"] = editing ? json::array{} : theme_choices(frame.language, own.theme);
    settings["quiet"] = own.quiet;
    settings["presets"] = presets_view(frame.language, own);
    settings["default_preset"] = own.default_preset;
    view["settings"] = std::move(settings);
    Response response;
    if (!form.errors.empty()) response.status = http_status(ErrorCode::kInvalidArgument);
    response.body = co_await pages.render(exchange.request(), "settings.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

Awaitable<> get_settings(Exchange& exchange, const Pages& pages) {
    const auto own = co_await read_owner_settings(pages, exchange.request().owner);
    if (!own) {
        co_await pages.show_error(exchange, own.error());
        co_return;
    }
    const std::string preset = asked_value(exchange.request(), "preset");
    const auto values = preset_values(*own, preset);
    if (!values) {
        co_await pages.show_error(exchange, values.error());
        co_return;
    }
    SettingsForm form = shown_form(*values);
    form.typed["preset"] = preset;
    if (!preset.empty()) form.typed["editing"] = "1";
    co_await show_settings(exchange, pages, *own, std::move(form));
}

/// On to the page that says what was done; a failure of a field is shown beside it.
Awaitable<> finish_change(Exchange& exchange,
                          const Pages& pages,
                          Result<OwnerSettings> changed,
                          std::string_view done) {
    if (!changed) {
        co_await pages.show_error(exchange, changed.error());
        co_return;
    }
    Response response = see_other(fmt::format("{}?done={}", kSettingsPath, done));
    co_await exchange.respond(std::move(response));
}

/// The page again with what was typed, or the failure where nothing can be read.
Awaitable<> show_typed(Exchange& exchange, const Pages& pages, SettingsForm form) {
    const auto own = co_await read_owner_settings(pages, exchange.request().owner);
    if (own) {
        co_await show_settings(exchange, pages, *own, std::move(form));
    } else {
        co_await pages.show_error(exchange, own.error());
    }
}

Awaitable<> post_settings(Exchange& exchange, const Pages& pages) {
    const Result<Form> fields = exchange.request().form();
    if (!fields) {
        co_await pages.show_error(exchange, fields.error());
        co_return;
    }
    SettingsForm form = read_form(*fields, pages.context().chat.setting_limits());
    const auto theme =
        services::parse_theme(fields->contains("theme") ? field(*fields, "theme") : "system");
    if (!theme) form.errors["theme"] = theme.error().detail;
    if (!form.errors.empty()) {
        co_await show_typed(exchange, pages, std::move(form));
        co_return;
    }
    const bool quiet = fields->contains("quiet");
    Edit edit = [values = form.values, theme = *theme, quiet](OwnerSettings& own) -> Result<> {
        own.values = values;
        own.theme = theme;
        own.quiet = quiet;
        return {};
    };
    const auto changed =
        co_await change_owner_settings(pages, exchange.request().owner, std::move(edit));
    if (!changed) {
        co_await pages.show_error(exchange, changed.error());
        co_return;
    }
    Response response = see_other(std::string(kSettingsPath) + "?done=saved");
    response.headers.push_back(theme_cookie(*theme));
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_theme(Exchange& exchange, const Pages& pages) {
    const Result<Form> fields = exchange.request().form();
    Result<services::Theme> theme = services::Theme::kSystem;
    if (!fields) theme = std::unexpected(fields.error());
    if (fields) theme = services::parse_theme(field(*fields, "theme"));
    Edit edit = [&theme](OwnerSettings& own) -> Result<> {
        own.theme = *theme;
        return {};
    };
    Result<OwnerSettings> changed = OwnerSettings{};
    if (theme)
        changed = co_await change_owner_settings(pages, exchange.request().owner, std::move(edit));
    if (!theme || !changed) {
        co_await pages.show_error(exchange, theme ? changed.error() : theme.error());
        co_return;
    }
    Response response{.status = 204};
    response.headers.push_back(theme_cookie(*theme));
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_preset(Exchange& exchange, const Pages& pages) {
    const Result<Form> fields = exchange.request().form();
    if (!fields) {
        co_await pages.show_error(exchange, fields.error());
        co_return;
    }
    SettingsForm form = read_form(*fields, pages.context().chat.setting_limits());
    form.typed["preset"] = field(*fields, "preset");
    form.typed["overwrite"] = field(*fields, "overwrite");
    if (fields->contains("editing")) form.typed["editing"] = "1";
    Result<OwnerSettings> kept = OwnerSettings{};
    Edit edit = [preset = services::NewPreset{form.typed["preset"],
                                              form.values,
                                              fields->contains("overwrite")}](OwnerSettings& own) {
        return services::save_preset(own, preset);
    };
    if (form.errors.empty())
        kept = co_await change_owner_settings(pages, exchange.request().owner, std::move(edit));
    if (!kept) form.errors["preset"] = kept.error().detail;
    if (!form.errors.empty()) {
        co_await show_typed(exchange, pages, std::move(form));
        co_return;
    }
    co_await finish_change(exchange, pages, std::move(kept), "preset");
}

/// What a small form does with a preset.
using PresetChange = Result<> (*)(OwnerSettings&, const Form&);

Awaitable<> change_preset(Exchange& exchange,
                          const Pages& pages,
                          PresetChange change,
                          std::string_view done) {
    const Result<Form> fields = exchange.request().form();
    if (!fields) {
        co_await pages.show_error(exchange, fields.error());
        co_return;
    }
    Edit edit = [change, fields = *fields](OwnerSettings& own) { return change(own, fields); };
    auto changed = co_await change_owner_settings(pages, exchange.request().owner, std::move(edit));
    co_await finish_change(exchange, pages, std::move(changed), done);
}

Result<> rename_one(OwnerSettings& own, const Form& fields) {
    return services::rename_preset(own, field(fields, "preset"), field(fields, "to"));
}

Result<> delete_one(OwnerSettings& own, const Form& fields) {
    return services::delete_preset(own, field(fields, "preset"));
}

Result<> choose_one(OwnerSettings& own, const Form& fields) {
    return services::choose_preset(own, field(fields, "preset"));
}

}  // namespace

Header theme_cookie(services::Theme theme) {
    // js/page.js writes it too, so scripts may see it.
    return {"Set-Cookie",
            fmt::format("theme={}; Path=/; Max-Age=31536000; SameSite=Lax", name_of(theme))};
}

Awaitable<Result<OwnerSettings>> read_owner_settings(const Pages& pages, services::OwnerId owner) {
    auto start = [&pages, &owner](services::Completion<OwnerSettings> done) {
        pages.context().settings->get(owner, std::move(done));
    };
    co_return co_await wait_for<OwnerSettings>(start);
}

Awaitable<Result<OwnerSettings>> change_owner_settings(const Pages& pages,
                                                       services::OwnerId owner,
                                                       Edit edit) {
    auto start = [&pages, &owner, &edit](services::Completion<OwnerSettings> done) {
        pages.context().settings->change(owner, std::move(edit), std::move(done));
    };
    co_return co_await wait_for<OwnerSettings>(start);
}

void add_settings_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, kSettingsPath, [pages](Exchange& exchange) {
                          return get_settings(exchange, *pages);
                      }});
    routes.push_back(action_route(pages, kSettingsPath, post_settings, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/settings/theme", post_theme, BodyLimit::kSmall));
    routes.push_back(action_route(pages, kPresetsPath, post_preset, BodyLimit::kSmall));
    const auto add = [&](std::string pattern, PresetChange change, std::string_view done) {
        routes.push_back({Method::kPost,
                          std::move(pattern),
                          [pages, change, done](Exchange& exchange) {
                              return change_preset(exchange, *pages, change, done);
                          },
                          BodyLimit::kSmall});
    };
    add("/settings/presets/rename", rename_one, "renamed");
    add("/settings/presets/delete", delete_one, "deleted");
    add("/settings/presets/default", choose_one, "chosen");
}

}  // namespace notso::web

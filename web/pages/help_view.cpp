#include "web/pages/help_view.hpp"

#include <array>
#include <string_view>

#include "services/commands/slash_commands.hpp"

namespace notso::web {
namespace {

struct Shortcut {
    std::array<std::string_view, 3> keys;  ///< Pressed together; empty ones aside.
    std::string_view about;
};

// In the order of the page.
constexpr Shortcut kShortcuts[] = {
    {{"Enter"}, "send the message"},
    {{"Shift", "Enter"}, "break the line"},
    {{"Esc"}, "stop the answer that is being written"},
    {{"↑"}, "edit the last message, in the empty composer"},
    {{"/"}, "the menu of commands, in the empty composer"},
    {{"Ctrl", "K"}, "search in chats"},
    {{"Ctrl", "Shift", "O"}, "begin a new chat"},
    {{"Ctrl", "B"}, "show or hide the list of chats"},
    {{"?"}, "this help, outside of fields"},
};

}  // namespace

boost::json::array shortcuts_view(const Language& language) {
    boost::json::array view;
    for (const Shortcut& shortcut : kShortcuts) {
        boost::json::array keys;
        for (const std::string_view key : shortcut.keys) {
            if (!key.empty()) keys.push_back(boost::json::value(language.text(key)));
        }
        view.push_back(boost::json::object{{"pressed", std::move(keys)},
                                           {"about", language.text(shortcut.about)}});
    }
    return view;
}

boost::json::array commands_view(const Language& language) {
    boost::json::array view;
    for (const services::SlashEntry& entry : services::slash_entries()) {
        if (!entry.is_at(services::SlashPlace::kPage)) continue;
        view.push_back(boost::json::object{{"name", entry.name},
                                           {"argument", language.text(entry.argument)},
                                           {"about", language.text(entry.about)}});
    }
    return view;
}

}  // namespace notso::web

// Rows of the table of settings: whose conversations there are, and how many.
#include "app/setting_values.hpp"

namespace notso::app {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 40;
constexpr int kMiBBits = 20;

Result<> set_spaces(Settings& settings, const SettingValue& value) {
    return set_switch(settings.spaces, value);
}

Result<> set_max_conversations(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(settings.quota.conversations, whole_number(value, 0, kMost));
    return {};
}

Result<> set_max_stored(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(const std::int64_t mib, whole_number(value, 0, kMost >> kMiBBits));
    settings.quota.bytes = mib << kMiBBits;
    return {};
}

Result<> set_max_running(Settings& settings, const SettingValue& value) {
    NOTSO_TRY(settings.quota.running, whole_number(value, 0, kMost));
    return {};
}

}  // namespace

std::vector<SettingRow> owner_setting_rows() {
    return {
        {"spaces",
         "--spaces",
         {"NOTSO_SPACES"},
         SettingGroup::kServer,
         false,
         "each browser has its own conversations: on or off; default: on where others can reach "
         "the "
         "server (--host, --public-url, --trusted-proxy)",
         set_spaces},
        {"max_conversations",
         "--max-conversations",
         {"NOTSO_MAX_CONVERSATIONS"},
         SettingGroup::kServer,
         false,
         "conversations that a browser's space or an account may have; 0 = no limit",
         set_max_conversations},
        {"max_stored",
         "--max-stored",
         {"NOTSO_MAX_STORED"},
         SettingGroup::kServer,
         false,
         "MiB of text and files that a browser's space or an account may have; 0 = no limit",
         set_max_stored},
        {"max_running",
         "--max-running",
         {"NOTSO_MAX_RUNNING"},
         SettingGroup::kServer,
         false,
         "answers that a browser's space or an account may wait for at the same time; 0 = no limit",
         set_max_running},
    };
}

}  // namespace notso::app

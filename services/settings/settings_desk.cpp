#include "services/settings/settings_desk.hpp"

#include <utility>

namespace notso::services {

void SettingsDesk::get(OwnerId owner, Done done) {
    store_.call(
        alive_,
        [owner = std::move(owner)](SessionStore& store) { return store.owner_settings(owner); },
        std::move(done));
}

void SettingsDesk::change(OwnerId owner, Edit edit, Done done) {
    store_.call(
        alive_,
        [owner = std::move(owner),
         edit = std::move(edit)](SessionStore& store) mutable -> Result<OwnerSettings> {
            NOTSO_TRY(OwnerSettings settings, store.owner_settings(owner));
            const OwnerSettings before = settings;
            NOTSO_CHECK(edit(settings));
            if (settings != before) NOTSO_CHECK(store.put_owner_settings(owner, settings));
            return settings;
        },
        std::move(done));
}

}  // namespace notso::services
